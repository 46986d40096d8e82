# SPDX-License-Identifier: Apache-2.0
"""The life of a batch: written once however often it is asked for, gone on with after a stop, taken back as
far as it goes.
"""

from datetime import timedelta

import pytest
from django.db import connection

from muster.base.errors import Refusal
from muster.base.ids import id_time, new_id
from muster.campaigns.services import freeze_round, open_round
from muster.flows.import_undo import undo_import
from muster.places.models import Area, Building, Dwelling, Gone
from muster.register.import_models import ImportBatch, ImportChunk, ImportRow
from muster.register.importing import committing
from muster.register.importing.batches import forget_stale, kept_rows
from muster.register.importing.committing import commit_batch
from muster.register.importing.ids import imported_id
from muster.register.importing.persons import Persons
from muster.register.models import DuplicatePair, Household, Need, Person
from muster.trail.models import Event
from tests.register.list_files import bring, csv_file, id_number, now, operator, somebody, table, take_in
from tests.support.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(Persons, "chunk_rows", 3)


def persons():
    return Person.objects.across(reason="count").filter(source="import")


def many(count: int):
    return [
        somebody(f"王{'一二三四五六七八九十'[n]}", 身份证号=id_number(serial=100 + n)) for n in range(count)
    ]


class Stopped(Exception):
    pass


# ---- writing ----


def test_check_writes_no_person(world):
    batch = bring("persons", *many(4), commit=False)

    assert batch.state == "PREVIEWED"
    assert batch.counts["new"] == 4
    assert not persons().exists()


def test_lines_lie_sealed_and_go_when_they_are_written(world):
    batch = bring(
        "persons", somebody("王秘密", 手机="13911112222"), somebody("李错误", 手机="1"), commit=False
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT rows FROM register_importchunk")
        sealed = b"".join(bytes(row[0]) for row in cursor.fetchall())
    assert "秘密".encode() not in sealed
    assert b"13911112222" not in sealed

    commit_batch(batch.id, now=now)

    assert [row.values["name"] for row in kept_rows(batch)] == ["李错误"]


def test_event_counts_and_names_nobody(world):
    who = operator()
    batch = bring("persons", *many(3), who=who)

    event = Event.objects.get(entity="ImportBatch")
    assert (event.verb, event.actor, event.facts["added_person"]) == ("commit", who.id, 3)
    assert "王" not in str(event.facts)
    assert batch.committed_at == NOON


def test_interrupted_writing_goes_on_after_the_last_chunk(world, small_chunks, monkeypatch):
    batch = bring("persons", *many(10), commit=False)
    written = committing._write_next

    def stop_at_third(known, *rest, **more):
        if known.next_chunk == 2:
            raise Stopped
        written(known, *rest, **more)

    monkeypatch.setattr(committing, "_write_next", stop_at_third)
    with pytest.raises(Stopped):
        commit_batch(batch.id, now=now)
    batch.refresh_from_db()
    assert (batch.state, batch.next_chunk, persons().count(), batch.stage) == ("PREVIEWED", 2, 6, "")

    monkeypatch.setattr(committing, "_write_next", written)
    done = commit_batch(batch.id, now=now)

    assert (done.state, persons().count(), done.rows_done) == ("COMMITTED", 10, 10)
    assert ImportRow.objects.filter(batch=batch, entity="person").count() == 10


def test_chunk_that_fails_inside_leaves_nothing_behind(world, small_chunks, monkeypatch):
    batch = bring("persons", *many(4), commit=False)
    monkeypatch.setattr(committing, "insert_rows", lambda rows: (_ for _ in ()).throw(Stopped))

    with pytest.raises(Stopped):
        commit_batch(batch.id, now=now)

    batch.refresh_from_db()
    assert (batch.next_chunk, persons().count()) == (0, 0)
    assert not Household.objects.across(reason="count").filter(code__gt="").exists()


def test_writing_again_is_harmless(world):
    batch = bring("persons", *many(4))

    again = commit_batch(batch.id, now=now)

    assert again.result == batch.result
    assert persons().count() == 4
    assert Event.objects.filter(entity="ImportBatch").count() == 1


def test_one_process_at_a_time_and_a_dead_one_is_waited_for_a_minute(world):
    batch = bring("persons", *many(2), commit=False)
    ImportBatch.objects.filter(id=batch.id).update(claimed_until=NOON + timedelta(seconds=50))

    with pytest.raises(Refusal, match="import_busy"):
        commit_batch(batch.id, now=now)
    done = commit_batch(batch.id, now=lambda: NOON + timedelta(seconds=51))

    assert done.state == "COMMITTED"


def test_row_that_changes_between_reading_and_writing_is_judged_again(world, monkeypatch):
    """A person is edited by somebody else after the chunk was judged: the edit is not lost."""
    bring("persons", somebody("王小明", 身份证号=id_number()))
    line = somebody("王小明", 身份证号=id_number(), 手机="13900000001")
    batch = bring("persons", line, commit=False, update_known=True)
    judged, edits = committing._judge_again, iter([True])

    def edit_after_judging(*args):
        rows = judged(*args)
        if next(edits, False):
            persons().update(version=7, lives_here=False)
        return rows

    monkeypatch.setattr(committing, "_judge_again", edit_after_judging)
    done = commit_batch(batch.id, now=now)

    person = persons().get()
    assert (person.version, person.lives_here, person.phone) == (8, False, "13900000001")
    assert done.result["changed_person"] == 1


def test_without_the_guard_the_edit_would_be_lost(world, monkeypatch):
    """The negative control of the test above."""
    monkeypatch.setattr(Persons, "guard", "")
    bring("persons", somebody("王小明", 身份证号=id_number()))
    line = somebody("王小明", 身份证号=id_number(), 手机="13900000001")
    batch = bring("persons", line, commit=False, update_known=True)
    judged = committing._judge_again

    def edit_after_judging(*args):
        rows = judged(*args)
        persons().update(lives_here=False)
        return rows

    monkeypatch.setattr(committing, "_judge_again", edit_after_judging)
    commit_batch(batch.id, now=now)

    assert persons().get().lives_here is True


def test_preview_cannot_be_written_before_it_is_there(world):
    batch = bring("persons", *many(1), commit=False)
    ImportBatch.objects.filter(id=batch.id).update(state="UPLOADED")

    with pytest.raises(Refusal, match="import_not_ready"):
        commit_batch(batch.id, now=now)


def test_file_that_cannot_be_taken_fails_with_its_reason(world):
    with pytest.raises(Refusal, match="import_columns_missing"):
        take_in("persons", csv_file([["姓名", "手机"], ["王小明", "1"]]))

    batch = ImportBatch.objects.get()
    assert (batch.state, batch.problem) == ("FAILED", "import_columns_missing")
    assert batch.problem_facts == {"columns": "楼栋 Building / 地址 Address"}
    assert not ImportChunk.objects.exists()


def test_unsettled_lines_are_forgotten_in_time(world):
    bring("persons", *many(1), commit=False)
    kept = bring("persons", *many(2))

    assert forget_stale(before=NOON + timedelta(days=7)) == 1
    assert [b.id for b in ImportBatch.objects.all()] == [kept.id]


def test_ids_follow_from_batch_and_line():
    batch = new_id()

    one = imported_id(batch, "person", 7)

    assert one == imported_id(batch, "person", 7)
    assert len({imported_id(batch, what, n) for what in ("person", "need") for n in range(500)}) == 1000
    assert one.version == 7
    assert id_time(one) == id_time(batch)


# ---- taking back ----


def test_undo_removes_what_was_added(world):
    before = Person.objects.across(reason="count").count()
    line = somebody("王小明", room="999", 身份证号=id_number(), 户编号="N")
    batch = bring("persons", line, create_doors=True)

    done = undo_import(batch.id, by=None, now=now)

    assert done.state == "UNDONE"
    assert Person.objects.across(reason="count").count() == before
    assert not Dwelling.objects.across(reason="count").filter(room="999").exists()
    assert not Household.objects.across(reason="count").filter(code="N").exists()
    assert done.result["undo"]["removed"] == 3
    assert Event.objects.get(verb="undo").facts["removed_person"] == 1


def test_undo_tells_the_phones(world):
    batch = bring("persons", somebody("王小明"))
    person = persons().get()

    undo_import(batch.id, by=None, now=now)

    world.grids[0].refresh_from_db()
    gone = Gone.objects.get(type="person")
    assert (gone.subject, gone.grid, gone.rev) == (person.id, world.grids[0].id, world.grids[0].revision)


def test_undo_gives_old_cells_back(world):
    bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000001"))
    line = somebody("王小明", 身份证号=id_number(), 手机="13900000002", 现住在此="否")
    batch = bring("persons", line, update_known=True)

    done = undo_import(batch.id, by=None, now=now)

    person = persons().get()
    assert (person.phone, person.lives_here) == ("13900000001", True)
    assert done.result["undo"]["restored_person"] == 1


def test_undo_lets_a_later_edit_stand(world):
    bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000001"))
    first = bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000002"), update_known=True)
    bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000003"), update_known=True)

    done = undo_import(first.id, by=None, now=now)

    assert persons().get().phone == "13900000003"
    assert done.result["undo"] == {"stays": 1, "stays_changed_since": 1}


def test_undo_keeps_who_is_referred_to_and_says_why(world):
    batch = bring(
        "persons",
        somebody("王需求", 身份证号=id_number(serial=201)),
        somebody("王改过", 身份证号=id_number(serial=202)),
        somebody("王见过", 身份证号=id_number(serial=203)),
        somebody("王成对", 身份证号=id_number(serial=204)),
        somebody("王无事", 身份证号=id_number(serial=205)),
    )
    by_name = {p.name: p for p in persons()}
    bring("needs", {"姓名": "王需求", "身份证号": id_number(serial=201), "需求类型": "残疾人"})
    bring(
        "persons", somebody("王改过", 身份证号=id_number(serial=202), 手机="13900000001"), update_known=True
    )
    world.record(
        world.fact(
            "note.written", by_name["王见过"].id, sub_district=world.streets[0].id, text="在家", round=None
        )
    )
    DuplicatePair.objects.create(
        sub_district=1,
        first=by_name["王成对"].id,
        second=new_id(),
        reason="same_phone",
        status="NOT_SAME",
        found_at=NOON,
        decided_at=NOON,
        decided_by=new_id(),
    )

    done = undo_import(batch.id, by=None, now=now)

    stays = dict(
        ImportRow.objects.filter(batch=batch, entity="person").exclude(stays="").values_list("row", "stays")
    )
    assert stays == {2: "has_needs", 3: "changed_since", 4: "has_facts", 5: "pair_decided"}
    assert sorted(p.name for p in persons()) == ["王成对", "王改过", "王见过", "王需求"]
    assert done.result["undo"]["removed_person"] == 1


def test_undo_keeps_who_stands_on_a_roster(world):
    batch = bring("persons", somebody("王小明"))
    round_ = open_round(freeze_round(world.round, by=None, at=NOON), by=None, at=NOON)

    done = undo_import(batch.id, by=None, now=now)

    assert persons().count() == 1
    assert done.result["undo"] == {"stays": 1, "stays_on_roster": 1}
    assert round_.status == "OPEN"


def test_undo_of_places_goes_from_the_leaves_up():
    lines = [
        {"代码": "99", "名称": "青槐市", "层级": "市"},
        {"代码": "9901", "名称": "青槐区", "层级": "区县", "上级代码": "99"},
        {"代码": "990101", "名称": "柳岸街道", "层级": "街道", "上级代码": "9901"},
        {"代码": "99010101", "名称": "桥西社区", "层级": "社区", "上级代码": "990101"},
    ]
    areas = bring("areas", *lines)
    buildings = bring("buildings", {"社区": "桥西社区", "小区": "桂苑", "楼栋名称": "1号楼"})

    kept = undo_import(areas.id, by=None, now=now)
    assert kept.result["undo"] == {"stays": 4, "stays_has_places": 1, "stays_has_areas_below": 3}

    undo_import(buildings.id, by=None, now=now)
    assert not Building.objects.filter(area__code="99010101").exists()

    again = bring("areas", *lines[:1], {**lines[3], "上级代码": "99"})
    assert again.result["bad"] == 1  # they are known
    assert Area.objects.filter(code__in=["99", "9901", "990101", "99010101"]).count() == 4


def test_undo_interrupted_goes_on(world, small_chunks, monkeypatch):
    from muster.register.importing import undoing

    monkeypatch.setattr(undoing, "ROWS_AT_ONCE", 2)
    batch = bring("persons", *many(5))
    taken = undoing._undo_rows
    calls = iter(range(9))

    def stop_at_second(*args, **more):
        if next(calls) == 1:
            raise Stopped
        taken(*args, **more)

    monkeypatch.setattr(undoing, "_undo_rows", stop_at_second)
    with pytest.raises(Stopped):
        undo_import(batch.id, by=None, now=now)
    assert persons().count() == 3

    done = undo_import(batch.id, by=None, now=now)

    assert (done.state, persons().count()) == ("UNDONE", 0)


def test_undo_of_what_was_never_written_is_refused(world):
    batch = bring("persons", *many(1), commit=False)

    with pytest.raises(Refusal, match="import_not_committed"):
        undo_import(batch.id, by=None, now=now)


def test_undo_of_needs_removes_them(world):
    bring("persons", somebody("王一", 身份证号=id_number()))
    batch = bring("needs", {"姓名": "王一", "身份证号": id_number(), "需求类型": "残疾人"})

    undo_import(batch.id, by=None, now=now)

    assert not Need.objects.across(reason="count").exists()


def test_files_with_the_same_lines_differ_only_by_their_batch(world):
    raw = csv_file(table(*many(2)))
    one, other = take_in("persons", raw, commit=False), take_in("persons", raw, commit=False)

    assert bytes(one.digest) == bytes(other.digest)
    assert one.id != other.id
