# SPDX-License-Identifier: Apache-2.0
"""Write docs/reference/openapi.json: every address of the web API and of the phones' pull.

`tools/openapi.py` writes it, `tools/openapi.py --check` fails where the committed file differs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference" / "openapi.json"


def described() -> dict[str, Any]:
    """The OpenAPI document of this tree; answers the same bytes on every machine."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.config.settings")
    import django

    django.setup()
    from muster.api.site import api, sync_api

    web, phones = (json.loads(json.dumps(one.get_openapi_schema(), default=str)) for one in (api, sync_api))
    web["info"] = {"title": "Muster", "version": web["info"]["version"]}
    web["paths"] = {**web["paths"], **phones["paths"]}
    web["components"]["schemas"].update(phones.get("components", {}).get("schemas", {}))
    web.pop("servers", None)
    found: dict[str, Any] = web
    return found


def text() -> str:
    return json.dumps(described(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        # The document depends on the code alone; no data folder of this machine is touched.
        os.environ["MUSTER_DATA"] = folder
        now = text()
    if arguments == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != now:
            sys.stderr.write("docs/reference/openapi.json is not what the code says: run tools/openapi.py\n")
            return 1
        return 0
    TARGET.write_text(now, encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
