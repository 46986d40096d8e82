# SPDX-License-Identifier: Apache-2.0
"""Who refers to rows that an import added: the reasons why an undo lets them stay."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q

from muster.places.models import Area, Building, Compound, Dwelling, Grid
from muster.register.import_models import ImportRow
from muster.register.models import DuplicatePair, Household, Need, Person
from muster.trail.models import Fact

_AT_ONCE = 400


def referred_persons(known: Sequence[Person], *, batch: uuid.UUID) -> dict[str, str]:
    ids = [person.id for person in known]
    stays = dict.fromkeys((str(p.id) for p in known if p.version > 1), "changed_since")
    own = _own(batch, "need")
    needs = Need.objects.across(reason="import").filter(person_id__in=ids).exclude(id__in=own)
    stays |= _because("has_needs", needs.values_list("person_id", flat=True))
    decided = (
        DuplicatePair.objects.across(reason="import")
        .exclude(status="OPEN")
        .filter(Q(first__in=ids) | Q(second__in=ids))
    )
    for pair in decided.values_list("first", "second"):
        stays |= _because("pair_decided", set(pair) & set(ids))
    return stays | facts_about(ids)


def referred_households(known: Sequence[Household]) -> dict[str, str]:
    ids = [household.id for household in known]
    people = (
        Person.objects.across(reason="import")
        .filter(household_id__in=ids)
        .values_list("household_id", flat=True)
    )
    return _because("has_persons", people) | facts_about(ids)


def referred_dwellings(known: Sequence[Dwelling]) -> dict[str, str]:
    ids = [dwelling.id for dwelling in known]
    people = (
        Person.objects.across(reason="import")
        .filter(dwelling_id__in=ids)
        .values_list("dwelling_id", flat=True)
    )
    homes = (
        Household.objects.across(reason="import")
        .filter(dwelling_id__in=ids)
        .values_list("dwelling_id", flat=True)
    )
    return _because("has_households", homes) | _because("has_persons", people) | facts_about(ids)


def referred_buildings(known: Sequence[Building]) -> dict[str, str]:
    ids = [building.id for building in known]
    doors = (
        Dwelling.objects.across(reason="import")
        .filter(building_id__in=ids)
        .values_list("building_id", flat=True)
    )
    return _because("has_doors", doors)


def referred_areas(known: Sequence[Area]) -> dict[str, str]:
    ids = [area.id for area in known]
    below = Area.objects.filter(parent_id__in=ids).values_list("parent_id", flat=True)
    stays = _because("has_areas_below", below)
    for model in (Grid, Building, Compound):
        stays |= _because(
            "has_places", model.objects.filter(area_id__in=ids).values_list("area_id", flat=True)
        )
    return stays


def facts_about(ids: Collection[uuid.UUID]) -> dict[str, str]:
    """Anything recorded at a door or a desk about these stays true, and so do they."""
    found: set[uuid.UUID] = set()
    ordered = list(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        rows = Fact.objects.filter(Q(subject__in=some) | Q(door__in=some) | Q(ref__in=some))
        for row in rows.values_list("subject", "door", "ref"):
            found |= {one for one in row if one is not None}
    return _because("has_facts", found & set(ordered))


def _own(batch: uuid.UUID, entity: str) -> list[str]:
    rows = ImportRow.objects.filter(batch_id=batch, entity=entity, action="added", undone_at__isnull=True)
    return list(rows.values_list("entity_id", flat=True))


def _because(reason: str, ids: Iterable[object]) -> dict[str, str]:
    return {str(one): reason for one in ids}
