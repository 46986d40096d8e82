# SPDX-License-Identifier: Apache-2.0
"""The texts of the engines: message code -> Chinese and English, from the `messages.toml` files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PLANNING = Path(__file__).resolve().parent.parent


@cache
def texts() -> dict[str, dict[str, str]]:
    """Return all texts by code, each with its languages: {"planning.cure.present": {"zh": …, "en": …}}."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted([_PLANNING / "messages.toml", *_PLANNING.glob("*/messages.toml")]):
        for code, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if code in found:
                raise ValueError(f"the code {code} stands twice")
            found[code] = entry
    return found


def say(code: str, facts: Mapping[str, Any], *, language: str) -> str:
    """Return the text of a code in `zh` or `en`, filled with its facts."""
    return texts()[code][language].format_map(facts)
