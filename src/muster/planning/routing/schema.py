# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of a routing problem file."""

from __future__ import annotations

from typing import Any


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    optional_texts = {"type": "array", "items": {"type": ["string", "null"]}}
    words = {"type": "array", "items": {"anyOf": [texts, {"type": "null"}]}}
    count = {"type": "integer", "minimum": 0}
    whole = {"type": "array", "items": {"type": ["integer", "null"], "minimum": 0}}
    numbers = {"type": "array", "items": {"type": "number"}}
    places = {"x_m": numbers, "y_m": numbers, "lon": numbers, "lat": numbers}
    table = {"type": "array", "items": {"type": "array", "items": count}}

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    stop_columns = ("demand", "service_s", "open_s", "close_s", "penalty")
    vehicle_columns = (
        "count",
        "capacity",
        "shift_start_s",
        "shift_end_s",
        "max_stops",
        "max_distance_m",
        "max_time_s",
        "fixed_cost",
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster routing problem",
        **entry(
            ["stops", "depots", "vehicles"],
            stops=entry([], name=texts, skills=words, **places, **dict.fromkeys(stop_columns, whole)),
            depots=entry([], name=texts, **places),
            vehicles=entry(
                [],
                name=texts,
                depot=optional_texts,
                end=optional_texts,
                skills=words,
                **dict.fromkeys(vehicle_columns, whole),
            ),
            pairs={"type": "array", "items": {**texts, "minItems": 2, "maxItems": 2}},
            distance_m=table,
            time_s=table,
            metres_per_minute={"type": "integer", "minimum": 1},
            detour_permille={"type": "integer", "minimum": 1_000, "maximum": 10_000},
            pins={
                "type": "array",
                "items": entry(["vehicle"], vehicle=text, driven=texts, stops=texts, free_at_s=count),
            },
        ),
    }
