# SPDX-License-Identifier: Apache-2.0
"""From the phone to the ledger past every fault: what was acknowledged is found, once, with one verdict.

Zero losses in n trials bound the rate of losing ones at 3/n (95 %): 200 cut answers say at most 1.5 %, the
machine's runs what Hypothesis was given. They do not say "never".
"""

from __future__ import annotations

import contextlib
import http.client
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from muster.base.crypto import Keystore
from muster.base.ids import new_id
from muster.intake.journal import open_reader
from muster.storage.keys import keystore
from muster.sync import fold as folding
from muster.sync.verify import verify_all
from muster.trail.models import Fact, NumberWatch, SecondCopy
from tests.intake.house import Door
from tests.spine.test_fold import Phone, Rows, fold
from tests.support.cutting import CuttingProxy
from tests.support.isolated import network, why_not
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
CUTS = 200
ADDRESS = "10.77.1.1"


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, Rows())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder for a door, with the keys of this house: what it takes, we can fold."""
    environment = django_settings.ENVIRONMENT
    keystore()
    for path in (environment.keys_path.parent, environment.secret_file.parent):
        shutil.copytree(path, tmp_path / path.name, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def door(data: Path) -> Iterator[Door]:
    opened = Door(data)
    opened.start()
    yield opened
    opened.kill()


class Sender:
    """A phone's way to the door: it keeps what has no receipt, and sends it again."""

    def __init__(self, phone: Phone, world: World, connect: Callable[[], http.client.HTTPConnection]) -> None:
        self.phone, self.world, self._connect = phone, world, connect
        self.acknowledged: set[str] = set()
        self.attempts = 0

    def record(self, dice: random.Random) -> None:
        here = [p for p in self.world.persons if p.grid == self.world.grids[0].id]
        self.phone.outcome(dice.choice(here), dice.choice(["done", "away", "no_answer"]))

    def send(self, most: int) -> bool:
        client = self.phone.client
        facts = list(client.outbox.values())[:most]
        body = client.batch(facts, at=NOON)
        headers = {"authorization": f"Bearer {client.lease}", "muster-signature": client.sign(body)}
        self.attempts += 1
        with contextlib.closing(self._connect()) as connection:
            try:
                connection.request("POST", "/v1/batches", body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return False
        if answer.status != 200:
            return False
        self.acknowledged |= {fact["id"] for fact in facts}
        for fact in facts:
            del client.outbox[fact["id"]]
        return True


def fold_journal(data: Path) -> int:
    """Fold what the door took; returns how many batches that were."""
    batches = 0
    keys = Keystore.open(data / "keys" / "keys.db", data / "secret" / "muster.secret")
    with contextlib.closing(keys), contextlib.closing(open_reader(data, keys)) as reader:
        while report := folding.fold_once(reader, now=lambda: NOON + timedelta(minutes=3)):
            if not report.batches:
                return batches
            batches += report.batches
    raise AssertionError("unreachable")


def found_once(sender: Sender) -> None:
    rows = Counter(str(fact) for fact in Fact.objects.values_list("id", flat=True))
    assert sender.acknowledged <= rows.keys()
    assert set(rows.values()) <= {1}
    assert set(Fact.objects.values_list("verdict", flat=True)) <= {"APPLIED", "FLAGGED"}
    assert not SecondCopy.objects.exists()
    assert verify_all() == []


def test_two_hundred_answers_cut_after_the_commit_change_nothing(
    world: World, phone: Phone, door: Door, data: Path
) -> None:
    dice = random.Random(20220902)
    sender, proxy = _through_a_cutter(world, phone, door, dice)
    while proxy.cut < CUTS:
        for _ in range(dice.randint(1, 3)):
            sender.record(dice)
        while phone.client.outbox:
            sender.send(3)
    proxy.close()

    batches = fold_journal(data)

    assert batches == sender.attempts  # each cut answer was of a batch that had been taken
    found_once(sender)
    assert NumberWatch.objects.get().missing == 0
    assert Fact.objects.count() == phone.client.seq


def test_a_phone_that_records_anew_after_a_cut_would_be_found_out(
    world: World, phone: Phone, door: Door, data: Path
) -> None:
    """Negative control: new ids for what got no answer, as a careless client makes them."""
    dice = random.Random(7)
    sender, proxy = _through_a_cutter(world, phone, door, dice)
    acts = 0
    while proxy.cut < 5:
        acts += 1
        sender.record(dice)
        while phone.client.outbox:
            if not sender.send(1):
                (old,) = phone.client.outbox.values()
                phone.client.outbox.clear()
                phone.client.seq += 1
                again = {**old, "id": str(new_id()), "seq": phone.client.seq}
                phone.client.outbox[again["id"]] = again
    proxy.close()

    fold_journal(data)

    assert Fact.objects.count() > acts


def _through_a_cutter(
    world: World, phone: Phone, door: Door, dice: random.Random
) -> tuple[Sender, CuttingProxy]:
    proxy = CuttingProxy(door.port, cuts=lambda: dice.random() < 0.6)
    connect = lambda: http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)  # noqa: E731
    return Sender(phone, world, connect), proxy


def test_a_partition_in_the_middle_costs_nothing_but_time(world: World, phone: Phone, data: Path) -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with network(ADDRESS) as net:
        door = Door(data, MUSTER_INTAKE_HOST=ADDRESS, MUSTER_INTAKE_PORT="8001")
        door._command = [*net.prefix, *door._command]

        def connect() -> http.client.HTTPConnection:
            return http.client.HTTPConnection(ADDRESS, 8001, timeout=0.5)

        def cable(state: str) -> None:
            subprocess.run(["ip", "-n", net.name, "link", "set", "lo", state], check=True)

        with net.entered():
            door.connection = connect  # type: ignore[method-assign]
            door.start()
        try:
            sender, failed = Sender(phone, world, connect), 0
            dice, cut_at = random.Random(5), time.monotonic() + 0.7
            cutting = threading.Timer(0.7, cable, ("down",))
            mending = threading.Timer(2.2, cable, ("up",))
            cutting.start()
            mending.start()
            with net.entered():
                while time.monotonic() < cut_at + 2.5 or phone.client.outbox:
                    sender.record(dice)
                    failed += not sender.send(50)
                    time.sleep(0.01)
        finally:
            door.kill()

    fold_journal(data)

    assert failed >= 2
    found_once(sender)
    assert len(sender.acknowledged) == phone.client.seq == Fact.objects.count()


class Deliveries(RuleBasedStateMachine):
    """One phone, a network that loses, repeats, delays and reorders, a fold that runs when it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = contextlib.ExitStack()
        self.undo.enter_context(_rolled_back())
        self.sent: list[list[dict[str, Any]]] = []
        self.recorded: list[dict[str, Any]] = []
        self.delivered: set[str] = set()

    @initialize()
    def enrol(self) -> None:
        self.world = make_world(doors=1, people=1)
        self.rows = Rows()
        self.phone = Phone(self.world, self.rows)
        self.here = [p for p in self.world.persons if p.grid == self.world.grids[0].id]

    @rule(outcome=st.sampled_from(["done", "away", "no_answer"]), count=st.integers(1, 3))
    def record(self, outcome: str, count: int) -> None:
        for _ in range(count):
            self.recorded.append(self.phone.outcome(self.here[0], outcome))

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        """A batch of whatever has no receipt in the phone's mind: in any order, also what was sent before."""
        facts = data.draw(st.lists(st.sampled_from(self.recorded), min_size=1, max_size=4, unique_by=id))
        self.sent.append(facts)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), days=st.sampled_from([0, 0, 0, 3]))
    def deliver(self, data: st.DataObject, days: int) -> None:
        """Any batch ever sent, once more, late by days; it is acknowledged."""
        facts = data.draw(st.sampled_from(self.sent))
        self.phone.post(*facts, at=NOON + timedelta(days=days, minutes=5))
        self.delivered |= {fact["id"] for fact in facts}

    @rule(limit=st.integers(1, 4))
    def fold_some(self, limit: int) -> None:
        folding.fold_once(self.rows, now=lambda: NOON + timedelta(days=4), limit=limit)  # type: ignore[arg-type]

    @invariant()
    def nothing_twice(self) -> None:
        kept = [str(i) for i in Fact.objects.values_list("id", flat=True)] if self.recorded else []
        assert len(kept) == len(set(kept))
        assert set(kept) <= self.delivered

    def teardown(self) -> None:
        try:
            if hasattr(self, "rows"):
                fold(self.rows)
                kept = dict(Fact.objects.values_list("id", "verdict"))
                assert {str(i) for i in kept} == self.delivered
                assert set(kept.values()) <= {"APPLIED"}
                assert not SecondCopy.objects.exists()
                assert verify_all() == []
        finally:
            self.undo.close()


@contextlib.contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


FEW = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


# The first failure is enough: making it small would take minutes.
UNTIL_FOUND = settings(FEW, max_examples=60, database=None, phases=[Phase.generate])


def test_duplicated_reordered_and_stale_batches_end_in_the_same_ledger(db: None) -> None:
    run_state_machine_as_test(Deliveries, settings=FEW)


def test_a_fold_that_loses_a_batch_would_be_found_out(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: every other batch is passed over, its position noted as if it had been folded."""
    judge = folding.judge_batches

    def careless(rows: Any, **told: Any) -> Any:
        judged = judge(rows, **told)
        for one in judged:
            if one.row.n % 2 == 1:
                one.facts = []
        return judged

    monkeypatch.setattr(folding, "judge_batches", careless)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Deliveries, settings=UNTIL_FOUND)
