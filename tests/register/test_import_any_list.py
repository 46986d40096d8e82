# SPDX-License-Identifier: Apache-2.0
"""Whatever a list of persons says: each line is accounted for, nobody is lost, nobody is doubled."""

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.flows.import_undo import undo_import
from muster.register.importing.batches import kept_rows
from muster.register.models import Household, Person
from tests.register.list_files import bring, id_number, now, somebody

LINES = st.fixed_dictionaries(
    {
        "姓名": st.sampled_from(["王一", "王 一", "王二", "李三", "", "张*三"]),
        "身份证号": st.sampled_from(["", "无", id_number(serial=100), id_number(serial=102), "123"]),
        "手机": st.sampled_from(["", "-", "13900000001", "139 0000 0001", "13900000002", "1"]),
        "室号": st.sampled_from(["101", "101室", "201", "999"]),
        "出生日期": st.sampled_from(["", "1980", "1980-05-01", "1990-01-01"]),
    }
)


def persons():
    return Person.objects.across(reason="count").filter(source="import")


@given(lines=st.lists(LINES, min_size=1, max_size=8))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list_is_accounted_for_line_by_line_and_can_be_taken_back(world, lines):
    said = [somebody(line.pop("姓名"), room=line.pop("室号"), **line) for line in map(dict, lines)]
    homes = Household.objects.across(reason="count").count()
    with transaction.atomic():
        first = bring("persons", *said)
        assert_accounted_for(first, len(said))
        assert persons().count() == first.result.get("added_person", 0) == first.result.get("new", 0)

        again = bring("persons", *said)
        assert_accounted_for(again, len(said))
        assert persons().count() == first.result.get("new", 0)
        assert again.result.get("new", 0) == 0

        undo_import(again.id, by=None, now=now)
        undo_import(first.id, by=None, now=now)
        assert not persons().exists()
        assert Household.objects.across(reason="count").count() == homes
        transaction.set_rollback(True)


def assert_accounted_for(batch, lines: int) -> None:
    """Every line was written, is known, or comes back with a reason."""
    result = batch.result
    back = [row for row in kept_rows(batch) if row.problems]
    assert batch.counts["rows"] == lines
    assert len(back) == result.get("bad", 0)
    assert sum(result.get(each, 0) for each in ("new", "changed", "same", "known", "bad")) == lines
    assert all(problem.text("zh") for row in back for problem in row.problems)
