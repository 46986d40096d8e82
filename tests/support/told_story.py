# SPDX-License-Identifier: Apache-2.0
"""One recorded story, told into whatever database MUSTER_DATABASE_URL names.

`python -m tests.support.told_story SEED`. Ids come from the seed, so that two
databases can be compared row by row; the answer is JSON on stdout.
"""

from __future__ import annotations

import json
import os
import random
import sys
import uuid
from typing import Any

COMPARED = (
    "campaigns.LedgerEntry",
    "campaigns.DoorEntry",
    "campaigns.RoundGrid",
    "campaigns.Round",
    "trail.Fact",
    "trail.Waiting",
    "trail.SecondCopy",
    "register.Person",
    "register.Household",
    "register.Need",
    "register.DuplicatePair",
    "places.Dwelling",
    "places.Grid",
    "places.Gone",
)
# Signatures and blind indexes come from the keys of each instance.
LEFT_OUT = {"signature", "phone_index", "id_number_index", "pk"}


def seeded_ids(seed: int) -> None:
    """Every id from here on follows from the seed. Modules that took `new_id` by name get it too."""
    import muster.base.ids as ids

    rng, known = random.Random(seed), ids.new_id

    def next_id() -> uuid.UUID:
        next_id.number += 1
        return uuid.UUID(int=(next_id.number << 80) | (7 << 76) | (2 << 62) | rng.getrandbits(61))

    next_id.number = 1_662_000_000_000
    ids.new_id = next_id
    for module in list(sys.modules.values()):
        if getattr(module, "new_id", None) is known:
            module.new_id = next_id
    from django.apps import apps

    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.default is known:
                field.default = next_id
                field.__dict__.pop("_get_default", None)


def tell(seed: int) -> None:
    """Findings, moves, undos, silences; a re-grid in the middle; what came twice and what came altered."""
    from muster.flows.regrid import Division, NewGrid, adopt_division
    from tests.spine.test_any_order import fresh, story
    from tests.support.world import NOON, make_world

    rng = random.Random(seed)
    world = make_world(doors=3, people=2)
    facts = story(world, rng) + story(world, rng)
    facts += [fresh(rng.choice(facts)) for _ in range(3)]
    altered = fresh(facts[0])
    altered.body_hash, altered.raw_body = b"", altered.raw_body.replace(b"}", b',"note":"x"}', 1)
    altered.__post_init__()
    facts += [altered, world.fact("entry.dreamt", world.persons[0].id)]
    middle = len(facts) // 2
    for number, fact in enumerate(facts):
        if number == middle:
            one, other = world.buildings[:2]
            division = Division(
                grids=[NewGrid(g.code, "SMALL", None, g.name, "") for g in world.grids],
                small_of={b.id: world.grids[i].code for i, b in enumerate(world.buildings)}
                | {one.id: world.grids[1].code, other.id: world.grids[0].code},
            )
            adopt_division(world.city, division, by=None, at=NOON)
        world.record(fact)


def rows() -> dict[str, list[dict[str, Any]]]:
    """model -> its rows with opened texts, ordered by what they say."""
    from django.apps import apps

    from muster.storage.scoping import ScopedManager

    found: dict[str, list[dict[str, Any]]] = {}
    for label in COMPARED:
        model = apps.get_model(label)
        manager = model._default_manager
        query = manager.across(reason="verify") if isinstance(manager, ScopedManager) else manager.all()
        told = [
            {
                f.attname: plain(getattr(row, f.attname))
                for f in model._meta.concrete_fields
                if f.attname not in LEFT_OUT
            }
            for row in query
        ]
        found[label] = sorted(told, key=lambda row: json.dumps(row, sort_keys=True))
    return found


def plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if isinstance(value, int | float | str | list | dict | None) else str(value)


def main(seed: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from muster.sync.verify import verify_all

    call_command("migrate", verbosity=0)
    seeded_ids(seed)
    tell(seed)
    assert verify_all() == []
    sys.stdout.write(json.dumps(rows(), sort_keys=True))


if __name__ == "__main__":
    main(int(sys.argv[1]))
