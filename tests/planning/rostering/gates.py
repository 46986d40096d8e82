# SPDX-License-Identifier: Apache-2.0
"""Small generated gates with shifts and people for the rostering tests, and a rota in the field's form."""

import numpy as np

SHIFTS = [
    {"name": "early", "start_min": 420, "minutes": 480},
    {"name": "late", "start_min": 900, "minutes": 480},
    {"name": "night", "start_min": 1380, "minutes": 480, "night": True},
    {"name": "whole day", "start_min": 480, "minutes": 1440, "night": True},
]
KINDS = ("party", "volunteer", "medic")


def gate(seed, *, people=None, days=None, shifts=None, posts=1, **changes):
    """Return a random problem (as JSON has it) with all that can stand in one."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(2, 6)) if people is None else people
    days = int(rng.integers(3, 9)) if days is None else days
    used = [SHIFTS[i] for i in sorted(rng.choice(4, shifts or int(rng.integers(1, 4)), replace=False))]
    kinds = KINDS[: int(rng.integers(1, 4))]

    def day():
        return int(rng.integers(days))

    def shift():
        return used[rng.integers(len(used))]["name"]

    def needs():
        return [
            {
                "shift": one["name"],
                "kind": kind,
                "count": int(rng.integers(0, 3)),
                "under": int(rng.integers(20, 100)),
                "over": int(rng.integers(0, 5)),
            }
            for one in used
            for kind in kinds
            if rng.random() < 0.8
        ]

    def person(number):
        said = {
            "name": f"p{number}",
            "kinds": [kind for kind in kinds if rng.random() < 0.7],
            "unavailable": [{"day": day()} | ({"shift": shift()} if rng.random() < 0.5 else {})],
            "wishes": [
                {"day": day(), "cost": int(rng.integers(1, 9)), "want": bool(rng.random() < 0.6)}
                | ({"shift": shift()} if rng.random() < 0.7 else {})
                for _ in range(rng.integers(0, 3))
            ],
            "rest_min": int(rng.choice([0, 660, 1440, 2880])),
            "max_days_on": int(rng.integers(2, 5)),
        }
        for name, values in (
            ("max_minutes", [1440, 2400, 4800]),
            ("max_week_minutes", [960, 1920]),
            ("min_days_off", [1, 2]),
            ("min_days_on", [1, 2]),
            ("max_weekends", [0, 1]),
            ("max_nights", [0, 1, 2]),
        ):
            if rng.random() < 0.4:
                said[name] = int(rng.choice(values))
        if rng.random() < 0.3:
            said["min_minutes"] = 480
            said.pop("max_minutes", None)
        if rng.random() < 0.5:
            off = int(rng.integers(0, 3))
            said["before"] = {"shift": shift(), "days_on": int(rng.integers(1, 3)), "days_off": off}
        return said

    facts = {
        "days": days,
        "first_weekday": str(rng.choice(["mon", "thu", "sun"])),
        "shifts": used,
        "posts": [{"name": f"gate {i}", "needs": needs()} for i in range(posts)],
        "people": [person(i) for i in range(people)],
    }
    if rng.random() < 0.5:
        facts["fairness"] = {"nights": int(rng.integers(0, 9)), "weekends": int(rng.integers(0, 9))}
    return facts | changes


def week(*, people=6, volunteers=2, posts=1, days=7, **changes):
    """Return a plain gate around the clock: one party member and some volunteers in each of three shifts."""
    return {
        "days": days,
        "shifts": SHIFTS[:3],
        "posts": [
            {
                "name": f"gate {i}",
                "needs": [
                    {"shift": shift["name"], "kind": kind, "count": count}
                    for shift in SHIFTS[:3]
                    for kind, count in (("party", 1), ("volunteer", volunteers))
                ],
            }
            for i in range(posts)
        ],
        "people": [
            {
                "name": f"{kind} {i}-{n}",
                "kinds": [kind],
                "posts": [f"gate {i}"],
                "max_minutes": 2400,
                "max_days_on": 5,
            }
            for i in range(posts)
            for kind in ("party", "volunteer")
            for n in range(people if kind == "party" else people * volunteers)
        ],
    } | changes


ROTA = """# a comment
SECTION_HORIZON
# days
14

SECTION_SHIFTS
E,480,
L,480,E

SECTION_STAFF
# ID, MaxShifts, MaxTotalMinutes, MinTotalMinutes, MaxConsecutive, MinConsecutive, MinDaysOff, MaxWeekends
A,E=14|L=14,4320,3360,5,2,2,1
B,E=14|L=0,4320,3360,5,2,2,1
C,E=14|L=3,4320,3360,5,2,2,1

SECTION_DAYS_OFF
A,0
B,5
C,8

SECTION_SHIFT_ON_REQUESTS
A,2,E,2
A,3,L,2

SECTION_SHIFT_OFF_REQUESTS
C,12,E,1

SECTION_COVER
""" + "".join(f"{day},{shift},1,100,1\n" for day in range(14) for shift in "EL")
