# SPDX-License-Identifier: Apache-2.0
"""One settling for server and phone: the vectors that the phone obeys are what the server's rules say.

After a meant change of the rules: `python tests/web/test_settle_vectors.py` writes the vectors anew.
"""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from muster.campaigns.rules import SeenFact, outcome_rules, settle_door, settle_entry
from muster.campaigns.states import Origin

VECTORS = Path(__file__).parent.parent / "vectors" / "settle.json"
START = datetime(2026, 9, 2, 8, 0, tzinfo=UTC)
HOME = uuid.UUID(int=1)
OUTCOMES = [
    {"code": "done", "class": "DONE", "met": True, "door": "SEEN"},
    {"code": "done_elsewhere", "class": "DONE", "evidence": "proof", "precedence": 15},
    {"code": "away", "class": "EXPLAINED", "door": "SEEN"},
    {"code": "booked", "class": "ARRANGED", "met": True, "door": "SEEN"},
    {"code": "refused", "class": "EXPLAINED", "door": "REFUSED", "evidence": "second_visit"},
    {"code": "no_answer", "class": "UNREACHED", "door": "NO_ANSWER", "precedence": 5},
]
ACTORS = [uuid.UUID(int=101), uuid.UUID(int=102), uuid.UUID(int=103)]


def seen(fact: dict) -> SeenFact:
    return SeenFact(
        id=uuid.UUID(fact["id"]),
        kind=fact["kind"],
        value=fact["value"],
        actor=uuid.UUID(fact["actor"]),
        occurred_at=datetime.fromtimestamp(fact["at"] / 1000, UTC),
        ref=uuid.UUID(fact["ref"]) if fact.get("ref") else None,
        from_desk=fact.get("from_desk", False),
    )


def settled(case: dict) -> dict:
    rules = outcome_rules({"outcomes": OUTCOMES})
    facts = [seen(fact) for fact in case["facts"]]
    entry = settle_entry(rules, origin=Origin.FROZEN, origin_dwelling=HOME, facts=facts)
    door = settle_door(rules, facts)
    return {
        "entry": {
            "cls": str(entry.cls),
            "outcome": entry.outcome,
            "at": int(entry.at.timestamp() * 1000) if entry.at else None,
            "actor": str(entry.actor) if entry.actor else None,
            "fact": str(entry.fact) if entry.fact else None,
            "attempts": entry.attempts,
        },
        "door": {
            "state": str(door.state),
            "at": int(door.at.timestamp() * 1000) if door.at else None,
            "attempts": door.attempts,
        },
    }


def drawn_case(rng: random.Random) -> dict:
    facts: list[dict] = []
    for _ in range(rng.randint(0, 7)):
        kind = rng.choices(
            ["entry.outcome", "door.state", "contact.tried", "fact.undone", "person.found", "note.written"],
            weights=[10, 2, 2, 4, 1, 1],
        )[0]
        value = {
            "entry.outcome": lambda: rng.choice([o["code"] for o in OUTCOMES] + ["of_a_later_version"]),
            "door.state": lambda: rng.choice(["SEEN", "VACANT", "NO_ANSWER", "REFUSED"]),
            "person.found": lambda: rng.choice(["done", ""]),
        }.get(kind, lambda: "")()
        at = START + timedelta(minutes=rng.randint(0, 6))
        fact = {
            "id": str(uuid.UUID(int=rng.getrandbits(128))),
            "kind": kind,
            "value": value,
            "actor": str(rng.choice(ACTORS)),
            "at": int(at.timestamp() * 1000),
        }
        if kind == "fact.undone":
            known = [f["id"] for f in facts if f["kind"] != "fact.undone"]
            fact["ref"] = rng.choice(known) if known and rng.random() < 0.9 else str(uuid.UUID(int=9))
            fact["from_desk"] = rng.random() < 0.3
        facts.append(fact)
    if facts and rng.random() < 0.3:
        facts.append(rng.choice(facts))
    rng.shuffle(facts)
    return {"facts": facts}


def write() -> None:
    rng = random.Random(20260902)
    cases = [drawn_case(rng) for _ in range(160)]
    lines = ",\n  ".join(json.dumps({**case, **settled(case)}) for case in cases)
    VECTORS.write_text(f'{{"outcomes": {json.dumps(OUTCOMES)},\n "cases": [\n  {lines}\n ]}}\n')


def test_vectors_are_what_the_server_settles():
    vectors = json.loads(VECTORS.read_text())

    assert vectors["outcomes"] == OUTCOMES
    for case in vectors["cases"]:
        assert settled(case) == {"entry": case["entry"], "door": case["door"]}


@pytest.mark.parametrize("outcome", ["done", "refused", "no_answer", "booked", "away", "done_elsewhere"])
def test_vectors_decide_by_each_outcome(outcome):
    cases = json.loads(VECTORS.read_text())["cases"]

    assert any(case["entry"]["outcome"] == outcome for case in cases)


if __name__ == "__main__":
    write()
