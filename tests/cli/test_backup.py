# SPDX-License-Identifier: Apache-2.0
"""Backup and restore: nothing acknowledged is lost, also what came after the main database was copied."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.cli.test_commands import Console
from tests.support.postgres import PostgresServer, pg_server

__all__ = ["pg_server"]

FILL = """
from pathlib import Path
from tests.support.phone_story import fill
fill({facts}, phone=Path({phone!r}))
"""
FOLD = """
from django.conf import settings
from muster.base.clock import now
from muster.intake.journal import open_reader
from muster.storage.keys import keystore
from muster.sync.fold import fold_once
reader = open_reader(settings.ENVIRONMENT.data, keystore())
while fold_once(reader, now=now).batches: pass
"""
TELL = """
import json
from muster.campaigns.models import LedgerEntry
from muster.sync.verify import verify_all
from muster.trail.models import Fact
from muster.register.models import Person
print(json.dumps({
    "facts": Fact.objects.count(), "done": LedgerEntry.objects.filter(cls="DONE").count(),
    "breaches": len(verify_all()),
    "name": Person.objects.across(reason="verify").order_by("id").first().name,
}))
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Console, Path, dict[str, object]]:
    """A house with two batches folded and two only journalled, and its backup."""
    house = Console(tmp_path_factory.mktemp("old"))
    house.type("migrate")
    house.run(FILL.format(facts=2, phone=str(house.data / "phone.json")))
    house.run(FOLD)
    before = json.loads(house.run(TELL))
    house.run(FILL.format(facts=2, phone=str(house.data / "phone.json")))
    file = tmp_path_factory.mktemp("backups") / "muster.tar.gz"
    house.type("backup", str(file))
    return house, file, before


def restored(file: Path, folder: Path) -> Console:
    house = Console(folder)
    house.type("restore", str(file))
    return house


def test_keys_lie_apart_from_the_data(kept: tuple[Console, Path, dict[str, object]]) -> None:
    _, file, _ = kept
    with tarfile.open(file) as archive:
        inside = archive.getnames()

    assert "main.sqlite3" in inside
    assert any(name.startswith("journal/") for name in inside)
    assert not any("keys" in name or "secret" in name for name in inside)
    with tarfile.open(f"{file}.keys") as archive:
        assert sorted(archive.getnames()) == ["keys.db", "muster.secret"]
    assert Path(f"{file}.keys").stat().st_mode & 0o077 == 0


def test_phones_of_the_old_house_are_heard_by_the_restored_one(
    kept: tuple[Console, Path, dict[str, object]], tmp_path: Path
) -> None:
    """Leases were signed by the old identity, and the restored one trusts it."""
    old, file, _ = kept
    house = restored(file, tmp_path / "new")
    phone = shutil.copy(old.data / "phone.json", tmp_path)

    house.run(FOLD)
    house.run(FILL.format(facts=1, phone=str(phone)))
    house.run(FOLD)

    told = json.loads(house.run(TELL))
    assert (told["facts"], told["done"], told["breaches"], told["name"]) == (5, 5, 0, "演1")


def test_without_the_journal_the_last_facts_would_be_missing(
    kept: tuple[Console, Path, dict[str, object]], tmp_path: Path
) -> None:
    """Negative control: what the restored house has more than the main database comes from the journal."""
    _, file, before = kept
    house = restored(file, tmp_path / "new")
    shutil.rmtree(house.data / "journal")

    house.run(FOLD)

    assert json.loads(house.run(TELL))["facts"] == before["facts"]


@pytest.mark.parametrize("harm", ["cut", "no keys", "no archive"])
def test_a_harmed_backup_is_refused_with_a_line(
    kept: tuple[Console, Path, dict[str, object]], tmp_path: Path, harm: str
) -> None:
    _, file, _ = kept
    copy = tmp_path / "copy.tar.gz"
    copy.write_bytes(
        b"no archive" if harm == "no archive" else file.read_bytes()[: 2000 if harm == "cut" else None]
    )
    if harm != "no keys":
        shutil.copy(f"{file}.keys", f"{copy}.keys")

    house = Console(tmp_path / "new")
    done = house.type("restore", str(copy), code=2)
    house.type("restore", str(file))

    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_backup_that_breaks_off_leaves_no_file_of_that_name(
    kept: tuple[Console, Path, dict[str, object]], tmp_path: Path
) -> None:
    house, _, _ = kept
    keys = house.data / "keys" / "keys.db"
    keys.rename(tmp_path / "away")

    house.type("backup", str(tmp_path / "copy.tar.gz"), code=2)
    (tmp_path / "away").rename(keys)

    assert list(tmp_path.iterdir()) == []


def test_a_log_left_lying_is_not_replayed_into_the_copy(
    kept: tuple[Console, Path, dict[str, object]], tmp_path: Path
) -> None:
    _, file, _ = kept
    house = Console(tmp_path)
    (tmp_path / "muster.sqlite3-wal").write_bytes(b"of another house")

    done = house.type("restore", str(file), code=2)

    assert str(tmp_path) in done.stderr
    assert not (tmp_path / "muster.sqlite3").exists()


@pytest.mark.postgres
def test_a_server_is_filled_whole_or_not_at_all(pg_server: PostgresServer, tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("the client tools of PostgreSQL are not here")
    url, empty, file = pg_server.fresh_database(), pg_server.fresh_database(), tmp_path / "pg.tar.gz"
    old, new = Console(tmp_path / "old"), Console(tmp_path / "new")
    old.type("migrate", MUSTER_DATABASE_URL=url)
    old.type("user", "add", "anna", "--role", "command", "--password", "p", MUSTER_DATABASE_URL=url)
    old.run("from muster.storage.keys import keystore; keystore().instance_key()")
    old.type("backup", str(file), MUSTER_DATABASE_URL=url)

    refused = new.type("restore", str(file), code=2, MUSTER_DATABASE_URL=url)
    keys_after_refusal = (new.data / "keys" / "keys.db").exists()
    new.type("restore", str(file), MUSTER_DATABASE_URL=empty)

    assert len(refused.stderr.strip().splitlines()) == 1
    assert not keys_after_refusal
    assert "anna" in new.type("user", "list", MUSTER_DATABASE_URL=empty).stdout
