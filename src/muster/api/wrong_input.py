# SPDX-License-Identifier: Apache-2.0
"""What is wrong with one field of an input, told in the words of its reader, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from muster.base.messages import cure, text

# The beginnings of the checker's own codes, the longer ones first; each has a sentence in messages.toml.
SAYS = (
    ("missing", "input_missing"),
    ("string_too_long", "input_long"),
    ("string_too_short", "input_missing"),
    ("too_long", "input_long"),
    ("string", "input_text"),
    ("uuid", "input_id"),
    ("int", "input_number"),
    ("float", "input_number"),
    ("finite", "input_number"),
    ("decimal", "input_number"),
    ("greater_than", "input_range"),
    ("less_than", "input_range"),
    ("bool", "input_yes_no"),
    ("datetime", "input_moment"),
    ("timezone", "input_moment"),
    ("date", "input_day"),
    ("time", "input_moment"),
    ("list", "input_list"),
    ("json", "input_json"),
    ("dict", "input_object"),
    ("model", "input_object"),
    ("literal", "input_choice"),
    ("enum", "input_choice"),
)


def told(error: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """One line of `errors`: which field, the checker's code, the sentence and what to do."""
    kind = str(error["type"])
    code = next((code for begins, code in SAYS if kind.startswith(begins)), "input_other")
    where = [str(part) for part in error["loc"] if part not in {"body", "query", "path"}]
    return {
        "field": ".".join(where), "code": kind, "message": text(code, lang), "cure": cure(code, lang),
    }  # fmt: skip
