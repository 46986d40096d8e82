# SPDX-License-Identifier: Apache-2.0
import pytest
from tests.register.list_files import bring, somebody
from tests.support.world import make_world

from muster.register.models import Person

pytestmark = pytest.mark.django_db


def test_persons_good_rows_go_in_behind_their_doors():
    world = make_world(frozen=False)
    before = Person.objects.across(reason="count").count()

    batch = bring("persons", somebody("王小明", 手机="13900000001"), somebody("李小红", room="201"))

    assert batch.state == "COMMITTED"
    made = Person.objects.across(reason="count").filter(source="import")
    assert sorted(p.name for p in made) == ["李小红", "王小明"]
    assert Person.objects.across(reason="count").count() == before + 2
    assert {p.grid for p in made} == {world.grids[0].id}
    assert all(p.household_id for p in made)
