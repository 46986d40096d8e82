# SPDX-License-Identifier: Apache-2.0
import contextlib
import hashlib
import os
import sqlite3
import threading

import psycopg
import pytest

from muster.base import clock, ids
from muster.base.errors import Refusal
from muster.intake.journal import (
    Entry,
    JournalUnavailable,
    open_archive,
    open_journal,
    open_reader,
    retire_writers,
)
from muster.intake.journal.rows import journal_purpose
from muster.intake.journal.segments import SegmentJournal, is_sealed, segment_files

CANARY = "张晓明-canary-13900000000"


def entry(house, *, text=CANARY, size=0):
    body = text.encode() + b" " * size
    return Entry(
        received_at=clock.now(),
        device=ids.new_id(),
        batch=ids.new_id(),
        incident=house.incident,
        lease="lease",
        alg="ES256",
        signature=bytes(64),
        sha256=hashlib.sha256(body).digest(),
        body=body,
    )


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def source(request, house):
    """Where a journal lies: both stores must behave alike."""
    return house.data if request.param == "sqlite" else request.getfixturevalue("pg_database")


@pytest.fixture
def journal(source, house):
    with contextlib.closing(open_journal(source, house.keystore)) as opened:
        yield opened


@pytest.fixture
def reader(source, house):
    with contextlib.closing(open_reader(source, house.keystore)) as opened:
        yield opened


class TestBothStores:
    def test_rows_come_back_in_order_and_whole(self, journal, reader, house):
        entries = [entry(house, text=f"{CANARY}{n}") for n in range(7)]

        assert journal.append(entries[:3]) == [1, 2, 3]
        assert journal.append(entries[3:]) == [4, 5, 6, 7]

        rows = reader.read_after({}, 100)
        assert [(row.writer, row.n) for row in rows] == [(1, n) for n in range(1, 8)]
        assert [Entry(*_fields(row)) for row in rows] == entries

    def test_reading_goes_on_from_a_position(self, journal, reader, house):
        journal.append([entry(house) for _ in range(5)])

        assert [row.n for row in reader.read_after({1: 3}, 100)] == [4, 5]
        assert [row.n for row in reader.read_after({1: 1}, 2)] == [2, 3]
        assert reader.read_after({1: 5}, 100) == []
        assert reader.heads() == {1: 5}

    def test_an_empty_journal_reads_as_nothing(self, reader):
        assert reader.writers() == []
        assert reader.heads() == {}
        assert reader.read_after({}, 10) == []

    def test_appending_nothing_opens_the_stream(self, journal, reader):
        assert journal.append([]) == []
        assert journal.writer == 1
        assert reader.heads() == {1: 0}

    def test_a_stream_goes_on_after_its_writer(self, journal, source, reader, house):
        journal.append([entry(house), entry(house)])
        journal.close()

        with contextlib.closing(open_journal(source, house.keystore)) as later:
            assert later.append([entry(house)]) == [3]
        assert reader.heads() == {1: 3}

    def test_writers_side_by_side_have_streams_of_their_own(self, journal, source, reader, house):
        with contextlib.closing(open_journal(source, house.keystore)) as other:
            assert journal.append([entry(house)]) == other.append([entry(house)]) == [1]
            assert (journal.writer, other.writer) == (1, 2)
            assert reader.writers() == [1, 2]

    def test_a_busy_writer_does_not_hide_a_quiet_one(self, journal, source, reader, house):
        with contextlib.closing(open_journal(source, house.keystore)) as other:
            journal.append([entry(house) for _ in range(40)])
            other.append([entry(house) for _ in range(3)])

            read = [row.writer for row in reader.read_after({}, 10)]
        assert (read.count(1), read.count(2)) == (5, 3)

    def test_large_bodies_are_read_in_bites(self, journal, reader, house):
        journal.append([entry(house, size=1000) for _ in range(10)])

        assert [row.n for row in reader.read_after({}, 100, most_bytes=3500)] == [1, 2, 3]
        assert [row.n for row in reader.read_after({1: 4}, 100, most_bytes=1)] == [5]

    def test_one_writers_large_bodies_come_through_beside_others(self, journal, source, reader, house):
        with contextlib.closing(open_journal(source, house.keystore)) as other:
            journal.append([entry(house, size=1000) for _ in range(4)])
            other.append([entry(house, size=1000) for _ in range(4)])

            positions, seen = {}, 0
            while rows := reader.read_after(positions, 100, most_bytes=1500):
                seen += len(rows)
                positions |= {row.writer: row.n for row in rows}
        assert seen == 8

    def test_a_destroyed_incident_opens_no_more_and_blocks_nothing(self, journal, reader, house):
        other = ids.new_id()
        journal.append([entry(house), _of(entry(house), other), entry(house)])

        house.keystore.destroy(purpose=journal_purpose(house.incident))

        rows = reader.read_after({}, 10)
        assert [(row.fault, row.body is None) for row in rows] == [
            ("key_destroyed", True),
            (None, False),
            ("key_destroyed", True),
        ]

    def test_a_refused_entry_leaves_no_gap(self, journal, reader, house):
        gone = ids.new_id()
        house.keystore.destroy(purpose=journal_purpose(gone))

        answers = journal.append([entry(house), _of(entry(house), gone), entry(house)])

        assert (answers[0], answers[2]) == (1, 2)
        assert isinstance(answers[1], Refusal)
        assert answers[1].code == "incident_destroyed"
        assert [row.n for row in reader.read_after({}, 10)] == [1, 2]

    def test_a_retired_stream_is_never_continued(self, journal, source, reader, house):
        journal.append([entry(house)])
        journal.close()

        assert retire_writers(source) == [1]

        with contextlib.closing(open_journal(source, house.keystore)) as later:
            assert later.append([entry(house)]) == [1]
            assert later.writer == 2
        assert reader.heads() == {1: 1, 2: 1}

    def test_a_stream_emptied_by_pruning_does_not_begin_again(self, journal, source, reader, house):
        journal.append([entry(house) for _ in range(4)])
        journal.close()
        retired_or_not = reader.prune({1: 4})

        with contextlib.closing(open_journal(source, house.keystore)) as later:
            assert later.append([entry(house)]) == [5]
        assert retired_or_not in (0, 4)  # an open segment stays

    def test_reading_while_writing_sees_every_row_once(self, journal, reader, house):
        seen, done = [], threading.Event()

        def write():
            for _ in range(60):
                journal.append([entry(house) for _ in range(5)])
            done.set()

        writing = threading.Thread(target=write)
        writing.start()
        position = {}
        while True:
            finished = done.is_set()
            rows = reader.read_after(position, 37)
            seen += [row.n for row in rows]
            position = {1: seen[-1]} if seen else {}
            if finished and not rows:
                break
        writing.join()
        assert seen == list(range(1, 301))


def _fields(row):
    return (
        row.received_at,
        row.device,
        row.batch,
        row.incident,
        row.lease,
        row.alg,
        row.signature,
        row.sha256,
        row.body,
    )


def _of(one, incident):
    return Entry(one.received_at, one.device, one.batch, incident, *_fields(one)[4:])


class TestSegments:
    @pytest.fixture
    def short(self, house):
        with contextlib.closing(_short(house)) as opened:
            yield opened

    def test_full_segments_are_one_unwritable_file_each(self, short, house):
        for _ in range(5):
            short.append([entry(house) for _ in range(5)])

        files = segment_files(house.data / "journal" / "1")
        assert [first for first, _ in files] == [1, 11, 21]
        assert [is_sealed(path) for _, path in files] == [True, True, False]
        with contextlib.closing(sqlite3.connect(files[0][1])) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    def test_reading_crosses_segments(self, short, house):
        for _ in range(12):
            short.append([entry(house) for _ in range(4)])
        reader = open_reader(house.data, house.keystore)

        assert [row.n for row in reader.read_after({}, 100)] == list(range(1, 49))
        assert [row.n for row in reader.read_after({1: 10}, 20)] == list(range(11, 31))
        position, seen = {}, []
        while rows := reader.read_after(position, 7, most_bytes=400):
            seen += [row.n for row in rows]
            position = {1: seen[-1]}
        assert seen == list(range(1, 49))

    def test_a_segment_in_a_readers_hand_is_closed_later(self, short, house):
        short.append([entry(house) for _ in range(5)])
        (_, path) = segment_files(house.data / "journal" / "1")[0]
        with contextlib.closing(sqlite3.connect(path)) as reading:
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM journal").fetchone()
            for _ in range(3):
                short.append([entry(house) for _ in range(5)])
            assert not is_sealed(path)
        short.append([entry(house) for _ in range(10)])

        assert is_sealed(path)
        assert len(open_reader(house.data, house.keystore).read_after({}, 100)) == 30

    def test_the_bytes_also_bound_a_segment(self, house):
        journal = SegmentJournal(house.data / "journal", house.keystore, segment_bytes=10_000)
        for _ in range(6):
            journal.append([entry(house, size=3000)])
        journal.close()

        assert [first for first, _ in segment_files(house.data / "journal" / "1")] == [1, 5]

    def test_only_what_is_wholly_folded_is_archived(self, short, house):
        for _ in range(5):
            short.append([entry(house) for _ in range(10)])
        reader = open_reader(house.data, house.keystore)
        before = reader.read_after({}, 100)

        assert reader.archive({}, house.data / "archive") == []
        moved = reader.archive({1: 29}, house.data / "archive")

        assert [path.name for path in moved] == ["1.sqlite3", "11.sqlite3"]
        assert [row.n for row in reader.read_after({}, 100)] == list(range(21, 51))
        archived = open_archive(house.data / "archive", house.keystore)
        assert archived.read_after({}, 100) == before[:20]
        assert reader.prune({1: 10**6}) == 20  # the open segment stays
        assert reader.heads() == {1: 50}

    def test_a_retired_stream_is_archived_to_its_end(self, short, house):
        short.append([entry(house) for _ in range(10)])
        short.close()
        retire_writers(house.data)
        reader = open_reader(house.data, house.keystore)

        assert len(reader.archive({1: 10}, house.data / "archive")) == 1
        assert reader.read_after({}, 10) == []

    def test_no_file_shows_what_is_in_it(self, short, house):
        for _ in range(4):
            short.append([entry(house) for _ in range(5)])

        for path in (house.data / "journal").rglob("*"):
            if path.is_file():
                assert b"canary" not in path.read_bytes()
        assert b"canary" in open_reader(house.data, house.keystore).read_after({}, 1)[0].body

    def test_a_row_moved_to_another_place_does_not_open(self, short, house):
        short.append([entry(house), entry(house)])
        (_, path) = segment_files(house.data / "journal" / "1")[0]
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE journal SET sealed = (SELECT sealed FROM journal WHERE n = 1) WHERE n = 2")

        faults = [row.fault for row in open_reader(house.data, house.keystore).read_after({}, 10)]
        assert faults == [None, "seal_broken"]

    def test_a_file_without_its_table_is_begun_again(self, house):
        folder = house.data / "journal" / "1"
        folder.mkdir(parents=True)
        (folder / "1.sqlite3").touch()
        reader = open_reader(house.data, house.keystore)
        assert reader.read_after({}, 10) == []
        assert reader.heads() == {1: 0}

        journal = _short(house)
        assert journal.append([entry(house)]) == [1]
        journal.close()

    def test_after_an_io_error_the_old_file_is_written_no_more(self, short, house):
        short.append([entry(house)])
        short._db.close()  # whatever went wrong: the next statement fails

        with pytest.raises(JournalUnavailable, match="journal_failed"):
            short.append([entry(house)])

        assert short.append([entry(house)]) == [2]
        assert [first for first, _ in segment_files(house.data / "journal" / "1")] == [1, 2]
        assert [row.n for row in open_reader(house.data, house.keystore).read_after({}, 10)] == [1, 2]

    def test_a_stream_is_free_again_when_its_process_is_gone(self, house):
        child = os.fork()
        if child == 0:
            _short(house).append([entry(house)])
            os._exit(0)
        os.waitpid(child, 0)

        journal = _short(house)
        assert journal.append([entry(house)]) == [2]
        assert journal.writer == 1
        journal.close()

    def test_a_commit_reaches_the_disk_before_it_returns(self, short):
        short.append([])
        with contextlib.closing(_short_db(short)) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def _short(house):
    return SegmentJournal(house.data / "journal", house.keystore, segment_rows=10)


def _short_db(journal):
    return journal._begin_segment()


@pytest.mark.postgres
class TestPostgres:
    def test_a_session_that_died_is_replaced_unnoticed(self, pg_database, house):
        journal = open_journal(pg_database, house.keystore)
        journal.append([entry(house)])
        with psycopg.connect(pg_database, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        assert journal.append([entry(house)])
        rows = open_reader(pg_database, house.keystore).read_after({}, 10)
        assert len(rows) == 2
        journal.close()

    def test_a_server_that_is_away_is_said_to_be(self, house):
        journal = open_journal("postgresql://nobody@127.0.0.1:1/none", house.keystore)

        with pytest.raises(JournalUnavailable, match="journal_failed"):
            journal.append([entry(house)])

    def test_a_commit_is_durable_whatever_the_servers_default(self, pg_database, house):
        with psycopg.connect(pg_database, autocommit=True) as db:
            db.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
        try:
            journal = open_journal(pg_database, house.keystore)
            journal.append([])
            assert journal._db.execute("SHOW synchronous_commit").fetchone() == ("on",)
            journal.close()
        finally:
            with psycopg.connect(pg_database, autocommit=True) as db:
                db.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")

    def test_the_archive_is_the_same_kind_of_file(self, pg_database, house):
        journal = open_journal(pg_database, house.keystore)
        journal.append([entry(house, text=f"{n}") for n in range(6)])
        reader = open_reader(pg_database, house.keystore)
        before = reader.read_after({}, 100)

        moved = reader.archive({1: 4}, house.data / "archive")

        assert [path.name for path in moved] == ["1.sqlite3"]
        assert open_archive(house.data / "archive", house.keystore).read_after({}, 100) == before[:4]
        assert reader.read_after({}, 100) == before[4:]
        reader.close()
        journal.close()

    def test_a_position_cannot_be_given_away_twice(self, pg_database, house):
        journal = open_journal(pg_database, house.keystore)
        journal.append([entry(house)])
        journal._next = 1

        with pytest.raises(JournalUnavailable):
            journal.append([entry(house)])
        assert journal.append([entry(house)]) == [2]
        journal.close()
