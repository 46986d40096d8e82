# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of a rota problem."""

from __future__ import annotations

from typing import Any


def problem_schema(weekdays: list[str], limits: dict[str, int]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    count = {"type": "integer", "minimum": 0}
    flag = {"type": "boolean"}
    whole = {"type": "array", "items": count}
    rules = {name: {"type": "integer", "minimum": lowest} for name, lowest in limits.items()}
    duty = {
        "person": text,
        "day": count,
        "post": text,
        "shift": text,
        "kind": {"type": "string"},
        "off": flag,
    }

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    def listed(items: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": items}

    need = entry(
        ["shift"],
        shift=text,
        kind={"type": "string"},
        count=count,
        days=whole,
        must=flag,
        under=count,
        over=count,
    )
    person = entry(
        ["name"],
        name=text,
        kinds=texts,
        posts=texts,
        unavailable=listed(entry(["day"], day=count, shift=text)),
        wishes=listed(entry(["day"], day=count, shift=text, want=flag, cost=count)),
        before=entry(["shift"], shift=text, days_on=count, days_off=count),
        **rules,
    )
    minutes = {"type": "integer", "minimum": 1, "maximum": 2880}
    start = {"type": "integer", "minimum": 0, "maximum": 1439}
    fairness = entry([], nights=count, weekends=count, night_share=count, weekend_share=count)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster rota problem",
        **entry(
            ["days", "shifts", "posts", "people"],
            days={"type": "integer", "minimum": 1, "maximum": 400},
            first_weekday={"enum": weekdays},
            shifts=listed(
                entry(
                    ["name", "start_min", "minutes"],
                    name=text,
                    start_min=start,
                    minutes=minutes,
                    night=flag,
                    not_before=texts,
                )
            ),
            posts=listed(entry(["name", "needs"], name=text, needs=listed(need))),
            people=listed(person),
            defaults=entry([], **rules),
            fairness=fairness,
            previous=listed(entry(["person", "day"], **duty)),
            change_cost=count,
            pins=listed(entry(["person", "day"], **duty)),
        ),
    }
