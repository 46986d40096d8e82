# SPDX-License-Identifier: Apache-2.0
"""verify, backup, restore, tls, users and tokens, as an operator types them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# A house with a world in it, one folded fact, and one that is only in the journal yet.
STORY = """
import hashlib
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from datetime import timedelta
from muster.accounts.services import enrol_device, make_enrol_code
from muster.base.ids import new_id
from muster.base.crypto.signing import unb64url
from muster.cli.processes import journal_source
from muster.drill.device import DeviceClient, _key_jwk, subject
from muster.intake.journal import Entry, open_journal, open_reader
from muster.storage.keys import keystore
from muster.sync.fold import fold_once
from tests.support.world import NOON, make_world
import uuid

world = make_world(doors=2, people=1)
code, _ = make_enrol_code(incident=world.incident.id, grid=world.grids[0].id, worker=world.workers[0],
    by=world.head.id, at=NOON)
phone = DeviceClient(web="", name="phone", http=None)
device, lease, text = enrol_device(code=code, public_key=_key_jwk(phone.key), name="phone",
    sub_districts=[s.id for s in world.streets], grids=[world.grids[0].id], at=NOON)
phone.enrolment = {"device": str(device.id), "actor": {"id": str(world.workers[0].id)}}
journal = open_journal(journal_source(), keystore())

def post(person):
    fact = phone.record("entry.outcome", subject(person.sub_district, person=person.id),
                        {"round": str(world.round.id), "outcome": "done"}, at=NOON)
    body = phone.batch([phone.outbox[fact]], at=NOON)
    alg, _, signature = phone.sign(body).partition("=")
    journal.append([Entry(received_at=NOON, device=device.id, batch=new_id(), incident=world.incident.id,
                          lease=text, alg=alg, signature=unb64url(signature), body=body,
                          sha256=hashlib.sha256(body).digest())])

post(world.persons[0])
fold_once(open_reader(journal_source(), keystore()), now=lambda: NOON + timedelta(minutes=1))
post(world.persons[1])
journal.close()
print(keystore().instance_key().kid)
"""
FOLD = """
import django
django.setup()
from datetime import timedelta
from muster.campaigns.models import LedgerEntry
from muster.cli.processes import journal_source
from muster.intake.journal import open_reader
from muster.storage.keys import keystore
from muster.sync.fold import fold_once
from tests.support.world import NOON
report = fold_once(open_reader(journal_source(), keystore()), now=lambda: NOON + timedelta(minutes=9))
print(report.facts, LedgerEntry.objects.filter(cls="DONE").count(), keystore().instance_key().kid)
"""


def house(folder: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MUSTER_")}
    ours = {"MUSTER_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "muster.config.settings"}
    return {**clean, **ours, "LANG": "C.UTF-8", "PYTHONPATH": str(REPOSITORY)}


def python(folder: Path, code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], env=house(folder), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip().splitlines()[-1]


def muster(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "muster.cli.main", *words]
    return subprocess.run(command, env=house(folder), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("house")
    return folder, python(folder, STORY)


def test_backup_restores_into_a_new_identity_and_fold_brings_the_rest(
    lived_in: tuple[Path, str], tmp_path: Path
) -> None:
    folder, identity = lived_in
    archive = tmp_path / "copy.tar.gz"

    made = muster(folder, "backup", str(archive))
    laid = muster(tmp_path / "new", "restore", str(archive))
    facts, done, new_identity = python(tmp_path / "new", FOLD).split()
    proof = muster(tmp_path / "new", "verify")

    assert made.returncode == 0, made.stderr
    assert laid.returncode == 0, laid.stderr
    assert (facts, done) == ("1", "2")
    assert new_identity != identity
    assert proof.returncode == 0, proof.stdout
    assert archive.with_name("copy.tar.gz.keys").stat().st_mode & 0o077 == 0


def test_restore_wants_an_empty_folder_and_both_files(lived_in: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = lived_in
    archive = tmp_path / "copy.tar.gz"
    muster(folder, "backup", str(archive))

    onto_itself = muster(folder, "restore", str(archive))
    archive.with_name("copy.tar.gz.keys").unlink()
    without_keys = muster(tmp_path / "new", "restore", str(archive))

    for refused in (onto_itself, without_keys):
        assert refused.returncode == 2
        assert len(refused.stderr.strip().splitlines()) == 1


def test_verify_tells_of_a_tampered_entry(lived_in: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = lived_in
    archive = tmp_path / "copy.tar.gz"
    muster(folder, "backup", str(archive))
    muster(tmp_path / "new", "restore", str(archive))
    with sqlite3.connect(tmp_path / "new" / "muster.sqlite3") as db:
        db.execute("UPDATE campaigns_ledgerentry SET cls = 'DONE' WHERE cls = 'OPEN'")
    db.close()

    proof = muster(tmp_path / "new", "verify")

    assert proof.returncode == 1
    assert "entries_equal_settle" in proof.stdout


def test_users_tokens_and_codes(lived_in: tuple[Path, str]) -> None:
    folder, _ = lived_in

    added = muster(
        folder,
        "user",
        "add",
        "anna",
        "--role",
        "desk",
        "--area",
        "99010100" + "1001",
        "--password",
        "drill-only-9",
    )
    listed = muster(folder, "user", "list")
    token = muster(folder, "token", "robot", "--role", "command")
    code = muster(folder, "enrol-code", "--grid", "G11", "--worker", "演工")
    wrong = [
        muster(folder, "user", "add", "bert", "--role", "emperor", "--password", "x"),
        muster(folder, "user", "add", "anna", "--role", "desk", "--password", "x"),
        muster(folder, "token", "robot", "--role", "desk", "--area", "nowhere"),
        muster(folder, "enrol-code", "--grid", "nowhere"),
        muster(folder, "no-such-command"),
    ]

    assert added.returncode == 0, added.stderr
    assert "anna" in listed.stdout
    assert len(token.stdout.strip()) > 30
    assert len(code.stdout.split()[0]) == 9
    for refused in wrong:
        assert refused.returncode == 2, refused
        assert "Traceback" not in refused.stderr


def test_local_authority_signs_for_the_hosts_named(tmp_path: Path) -> None:
    from cryptography import x509

    made = muster(tmp_path, "tls", "init", "--host", "muster.test", "--host", "10.77.0.1")
    certificate = x509.load_pem_x509_certificate((tmp_path / "tls" / "cert.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert made.returncode == 0, made.stderr
    assert names.get_values_for_type(x509.DNSName) == ["muster.test"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.77.0.1"]
    assert (tmp_path / "tls" / "key.pem").stat().st_mode & 0o077 == 0
