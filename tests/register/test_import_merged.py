# SPDX-License-Identifier: Apache-2.0
"""Lists after a merge: the record that was given up speaks for nobody any more."""

import uuid

import pytest

from muster.flows.merging import merge_pair
from muster.register.importing.batches import kept_rows
from muster.register.importing.blind_indexes import phone_indexes
from muster.register.models import DuplicatePair, Person
from muster.register.services import add_pairs
from tests.register.list_files import bring, somebody
from tests.support.world import NOON

pytestmark = pytest.mark.django_db


def test_a_line_about_a_merged_person_is_about_the_survivor(world):
    """Both records said the same phone and name; after the merge the line fits one of them, not two."""
    phone = "13900000001"
    bring("persons", somebody("王小明", 手机=phone))
    keep = Person.objects.across(reason="count").get(source="import")
    other = Person.objects.create(
        sub_district=keep.sub_district, grid=keep.grid, dwelling=keep.dwelling, name="王小明", phone=phone,
        phone_index=phone_indexes({phone})[phone],
    )  # fmt: skip
    add_pairs(keep, [(other.id, "same_phone")], at=NOON)
    unsure = bring("persons", somebody("王小明", 手机=phone), update_known=True)

    pair = DuplicatePair.objects.across(reason="count").get()
    merge_pair(pair, survivor=keep.id, why="list_error", by=uuid.uuid4(), at=NOON)
    sure = bring("persons", somebody("王小明", 手机=phone), update_known=True)

    assert [p.code for row in kept_rows(unsure) for p in row.problems] == ["import_person_ambiguous"]
    assert [p.code for row in kept_rows(sure) for p in row.problems] == []
    living = Person.objects.across(reason="count").filter(left_at__isnull=True, merged_into__isnull=True)
    assert [p.id for p in living if p.name == "王小明"] == [keep.id]
