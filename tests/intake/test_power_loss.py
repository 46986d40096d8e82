# SPDX-License-Identifier: Apache-2.0
"""Power loss: what was acknowledged before the plug was pulled is in the journal, whatever the disk dropped.

Each journal is written once under a shim that notes every write and sync, then the power is cut after any of
them, in several ways each. Zero losses in n cuts bound the rate of losing ones at 3/n (95 %). What this does
not show stands in lossy_disk.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from muster.config.environment import django_database
from muster.intake import durable
from muster.intake.journal import segments
from muster.intake.journal.segment_reader import SegmentReader
from muster.intake.journal.segments import SegmentJournal
from tests.intake.lossy_disk import LossyDisk, NoShimError, sqlite_library
from tests.intake.test_journal import entry

BATCHES, SEGMENT_ROWS = 26, 9
CUTS = 220


@pytest.fixture(autouse=True)
def shim() -> None:
    try:
        sqlite_library()
    except (NoShimError, OSError) as error:
        pytest.skip(f"no shim under this sqlite3 module: {error}")


@dataclass
class Written:
    """disk: what happened. promised: acts so far -> bodies acknowledged by then, in order."""

    disk: LossyDisk
    promised: list[tuple[int, list[bytes]]]
    sent: list[bytes]

    def promised_by(self, act: int) -> list[bytes]:
        return [body for after, bodies in self.promised if after <= act for body in bodies]


def write_journal(house, root: Path, *, synchronous: str = "FULL", restarts: int = 2) -> Written:
    """Batches of one to four rows, across segments, with a polite or an abrupt restart in between."""
    root.mkdir(parents=True, exist_ok=True)
    disk, dice = LossyDisk(root), random.Random(7)
    promised: list[tuple[int, list[bytes]]] = []
    sent: list[bytes] = []
    with disk.watching():
        journal = SegmentJournal(
            root / "journal", house.keystore, segment_rows=SEGMENT_ROWS, synchronous=synchronous
        )
        for number in range(BATCHES):
            rows = [entry(house, text=f"row {number}.{n}", size=dice.choice([0, 900, 5_000]))
                    for n in range(dice.randint(1, 4))]  # fmt: skip
            sent += [row.body for row in rows]
            assert all(isinstance(answer, int) for answer in journal.append(rows))
            promised.append((len(disk.acts), [row.body for row in rows]))
            if restarts and number % (BATCHES // (restarts + 1)) == 7:
                journal.close()
        journal.close()
    return Written(disk, promised, sent)


def bodies_after(house, root: Path) -> list[bytes]:
    """What the journal of this disk holds once somebody opened it again and wrote on."""
    journal = SegmentJournal(root / "journal", house.keystore, segment_rows=SEGMENT_ROWS)
    with contextlib.closing(journal):
        (last,) = journal.append([entry(house, text="afterwards")])
    with contextlib.closing(SegmentReader(root / "journal", house.keystore)) as reader:
        rows = reader.read_after({}, 10_000)
    assert [row.n for row in rows] == list(range(1, int(str(last)) + 1))
    assert all(row.fault is None for row in rows)
    return [bytes(row.body or b"") for row in rows[:-1]]


def lost_in_cuts(house, written: Written, tmp_path: Path, cuts: int) -> list[tuple[int, int]]:
    """(act, rows lost) of every cut that lost something it had promised."""
    dice, losing = random.Random(11), []
    places = [dice.randint(0, len(written.disk.acts)) for _ in range(cuts)]
    places += [after for after, _ in written.promised]  # the moment right after each answer
    for number, after in enumerate(places):
        root = tmp_path / f"cut{number}"
        root.mkdir()
        written.disk.cut(after, root, dice=dice)
        found = bodies_after(house, root)
        assert found == written.sent[: len(found)]  # nothing but what was sent, in order
        lost = len(written.promised_by(after)) - len(found)
        if lost > 0:
            losing.append((after, lost))
        shutil.rmtree(root)
    return losing


def test_what_was_acknowledged_outlives_a_power_cut(house, tmp_path):
    written = write_journal(house, tmp_path / "disk")

    assert len(list((tmp_path / "disk" / "journal" / "1").glob("*.sqlite3"))) > 3  # it crossed segments
    assert {act.what for act in written.disk.acts} >= {
        "create", "write", "truncate", "sync", "sync_folder", "make_folder", "delete", "mode",
    }  # fmt: skip
    assert lost_in_cuts(house, written, tmp_path, CUTS) == []


def test_a_journal_that_does_not_sync_each_commit_is_found_out(house, tmp_path):
    """Negative control: synchronous=NORMAL survives every kill and loses rows here."""
    written = write_journal(house, tmp_path / "disk", synchronous="NORMAL")

    assert lost_in_cuts(house, written, tmp_path, 20)


def test_folders_that_are_not_synced_are_found_out(house, tmp_path, monkeypatch):
    """Negative control: a segment whose name never reached the disk is not there, synced as it may be."""
    for module in (durable, segments):
        monkeypatch.setattr(module, "sync_folder", lambda _folder: None)
    written = write_journal(house, tmp_path / "disk")

    assert lost_in_cuts(house, written, tmp_path, 20)


def test_the_disk_without_a_cut_is_the_real_one(house, tmp_path):
    """The model against the truth: with everything kept, its files are byte for byte those of the disk."""
    written = write_journal(house, tmp_path / "disk", restarts=0)
    files, names, waiting = written.disk._replay(len(written.disk.acts))

    real = {path for path in (tmp_path / "disk").rglob("*.sqlite3*") if not path.name.endswith("-shm")}
    there = {path for some in names.values() for path in some}
    for acts in waiting.values():
        for act in acts:
            (there.discard if act.what == "delete" else there.add)(act.path)
    assert {path for path in there if path in files} == real
    for path in real:
        assert not files[path].pending, path
        assert bytes(files[path].durable) == path.read_bytes(), path


def test_the_main_database_as_it_is_set_up_keeps_its_commits(tmp_path):
    """The pragmas of the house's own connection, and the same ones with NORMAL as the control."""
    settings = django_database(f"sqlite:///{tmp_path / 'disk' / 'muster.sqlite3'}")
    pragmas = settings["OPTIONS"]["init_command"]  # type: ignore[index]

    assert _rows_lost(tmp_path / "disk", pragmas) == 0
    assert _rows_lost(tmp_path / "careless", pragmas.replace("=FULL", "=NORMAL")) > 0


def _rows_lost(root: Path, pragmas: str) -> int:
    root.mkdir()
    disk, dice, promised = LossyDisk(root), random.Random(3), []
    with disk.watching(), contextlib.closing(sqlite3.connect(root / "muster.sqlite3")) as db:
        for pragma in pragmas.split(";"):
            db.execute(pragma)
        db.execute("CREATE TABLE fact (n INTEGER PRIMARY KEY, body TEXT)")
        durable.sync_folder(root)
        for number in range(30):
            with db:
                db.execute("INSERT INTO fact VALUES (?, ?)", (number, "x" * 700))
            promised.append(len(disk.acts))
    most = 0
    for number in range(60):
        after, there = dice.choice(promised), root / f"cut{number}"
        there.mkdir()
        disk.cut(after, there, dice=dice)
        with contextlib.closing(sqlite3.connect(there / "muster.sqlite3")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            has_table = db.execute("SELECT 1 FROM sqlite_master").fetchone()
            (count,) = db.execute("SELECT count(*) FROM fact").fetchone() if has_table else (0,)
        most = max(most, sum(one <= after for one in promised) - count)
    return most
