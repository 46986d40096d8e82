# SPDX-License-Identifier: Apache-2.0
"""Rewrites freshly made migrations so that ledger tables are made by CreateLedger. Run after
makemigrations.
"""

import re
import sys
from pathlib import Path

LEDGERS = ("LedgerEntry", "DoorEntry", "RoundGrid")


def rewrite(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    changed = text
    for name in LEDGERS:
        changed = re.sub(
            rf"migrations\.CreateModel\(\s*\n(\s*)name=['\"]{name}['\"]",
            rf'CreateLedger(\n\1name="{name}"',
            changed,
        )
    if changed == text:
        return False
    changed = changed.replace(
        "from django.db import migrations",
        "from muster.storage.ledger_tables import CreateLedger\nfrom django.db import migrations",
        1,
    )
    path.write_text(changed, encoding="utf-8")
    return True


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, "rewritten" if rewrite(Path(name)) else "left as it was")
