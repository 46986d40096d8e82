# SPDX-License-Identifier: Apache-2.0
"""Segments that were folded long ago are archived, sealed and one day deleted; nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from muster.base import clock, ids
from muster.base.crypto import Keystore
from muster.intake.journal import Entry, open_archive, open_journal, open_reader
from muster.intake.journal.segments import SegmentJournal
from muster.sync.archiving import EACH, KEPT, REST, Archivist, archive_faults
from tests.support.postgres import pg_database, pg_server  # noqa: F401 -- fixtures
from tests.support.world import NOON


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keystore]:
    made = Keystore.open(tmp_path / "keys" / "keys.db", tmp_path / "secret", create=True)
    yield made
    made.close()


def entry(incident: object) -> Entry:
    return Entry(clock.now(), ids.new_id(), ids.new_id(), incident, "lease", "", b"", b"", b"body")  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path, keys: Keystore) -> Iterator[SegmentJournal]:
    """Seven rows in segments of three: two are closed."""
    made, incident = SegmentJournal(tmp_path / "journal", keys, segment_rows=3), ids.new_id()
    for _ in range(7):
        made.append([entry(incident)])
    yield made
    made.close()


class House:
    """An archivist with a fold that stands where it is told to."""

    def __init__(self, source: Path | str, keys: Keystore, folder: Path) -> None:
        self.at, self.folder, self.keys = 0, folder, keys
        self.reader = open_reader(source, keys)
        self.archivist = Archivist(
            self.reader, folder, positions=lambda: {1: self.at}, key=keys.instance_key, rest=REST
        )

    def kept(self) -> list[int]:
        return [row.n for row in self.reader.read_after({}, 100)]

    def archived(self) -> list[int]:
        return [row.n for row in open_archive(self.folder, self.keys).read_after({}, 100)]


@pytest.fixture
def house(tmp_path: Path, keys: Keystore, journal: SegmentJournal) -> House:
    return House(tmp_path, keys, tmp_path / "archive")


def test_only_what_was_folded_long_ago_and_is_closed_is_moved(house: House) -> None:
    house.at = 3
    house.archivist.look_after(at=NOON)
    house.at = 7
    house.archivist.look_after(at=NOON + REST - EACH)
    assert house.archived() == []

    house.archivist.look_after(at=NOON + REST)
    assert (house.archived(), house.kept()) == ([1, 2, 3], [4, 5, 6, 7])

    house.archivist.look_after(at=NOON + 2 * REST)
    assert (house.archived(), house.kept()) == ([1, 2, 3, 4, 5, 6], [7])
    assert list(archive_faults(house.folder, trusted=house.keys.trusted_keys())) == []


def test_what_fold_has_not_passed_stays(house: House) -> None:
    house.at = 2
    for hours in range(0, 40, 7):
        house.archivist.look_after(at=NOON + timedelta(hours=hours))

    assert (house.archived(), house.kept()) == ([], [1, 2, 3, 4, 5, 6, 7])


def archived_all(house: House) -> Path:
    house.at = 7
    house.archivist.look_after(at=NOON)
    first, _ = house.archivist.look_after(at=NOON + REST)
    return first


def test_a_changed_segment_is_seen(house: House) -> None:
    """Negative control of the seal."""
    segment = archived_all(house)
    segment.chmod(0o600)
    with segment.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))

    ((name, _),) = archive_faults(house.folder, trusted=house.keys.trusted_keys())

    assert name == str(segment.relative_to(house.folder))


def test_a_seal_of_a_stranger_is_seen(house: House, tmp_path: Path) -> None:
    archived_all(house)
    stranger = Keystore.open(tmp_path / "other" / "keys.db", tmp_path / "other-secret", create=True)

    assert len(list(archive_faults(house.folder, trusted=stranger.trusted_keys()))) == 2


def test_the_old_is_deleted_and_the_young_is_not(house: House) -> None:
    archived_all(house)

    house.archivist.look_after(at=NOON + REST + KEPT - EACH)
    assert house.archived() == [1, 2, 3, 4, 5, 6]

    house.archivist.look_after(at=NOON + REST + KEPT + EACH)
    assert list(house.folder.rglob("*.*")) == []


@pytest.mark.postgres
def test_rows_of_a_database_are_archived_the_same_way(
    pg_database: str,  # noqa: F811
    keys: Keystore,
    tmp_path: Path,
) -> None:
    stream, incident = open_journal(pg_database, keys), ids.new_id()
    stream.append([entry(incident) for _ in range(5)])
    house = House(pg_database, keys, tmp_path / "archive")
    house.at = 4

    house.archivist.look_after(at=NOON)
    house.archivist.look_after(at=NOON + REST)

    assert (house.archived(), house.kept()) == ([1, 2, 3, 4], [5])
    assert house.reader.heads() == {1: 5}
    stream.close()
    house.reader.close()
