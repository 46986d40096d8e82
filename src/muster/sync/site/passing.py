# SPDX-License-Identifier: Apache-2.0
"""Passing on: the site's journal goes to the city's front door as it came: same bytes, batch and signature.

Nouns: passage (how far a writer's journal has the city's receipt), stuck batch (one the city's door did not
take: kept, shown, offered again), word (who joined here, and our own receipts for what we pass on).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import F

from muster.accounts.models import Device, DeviceKind, Lease
from muster.base.crypto import SigningKey
from muster.intake.journal import JournalReader, JournalRow
from muster.intake.receipts import make_receipt
from muster.sync.models import HomeCity, Passage, StuckBatch
from muster.sync.site.desk_records import DESK, DeskRecords
from muster.sync.site.telling import MOST_AT_ONCE, HeldReceipt, NewDevice, Word
from muster.sync.site.uplink import Cut, Line, Refused

AT_ONCE = 64
STUCK_REST = timedelta(minutes=10)
UNREADABLE = "seal_broken"
log = logging.getLogger("muster.site")


class _Facts(msgspec.Struct):
    facts: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Told:
    """What one turn did."""

    passed: int = 0
    waiting: int = 0
    trouble: str = ""
    wait: float = 0.0


class Passing:
    """Passes one house's journal on. Safe to stop at any point: what has no mark is sent again."""

    def __init__(self, reader: JournalReader, line: Line, *, key: SigningKey) -> None:
        self._reader, self._line, self._key = reader, line, key
        self._desk = DeskRecords(key=key)

    def turn(self, *, at: datetime) -> Told:
        """Passes on one handful; what the city answered is marked before the next is read."""
        try:
            self._introduce(at=at)
            passed = self._pass_handful(at=at) + self._pass_desk(at=at)
            self._offer_stuck(at=at)
        except Cut as cut:
            waiting = self.count_waiting(at=at)
            HomeCity.objects.update(tried_at=at, trouble=cut.code)
            return Told(0, waiting, cut.code, cut.wait)
        waiting = self.count_waiting(at=at)
        reached = {} if self._trouble else {"reached_at": at}
        HomeCity.objects.update(tried_at=at, trouble=self._trouble, **reached)
        return Told(passed, waiting, self._trouble)

    def drain(self, *, now: Callable[[], datetime]) -> Told:
        """Turns until nothing waits or the line is cut."""
        passed = 0
        while True:
            told = self.turn(at=now())
            passed += told.passed
            if not told.passed:
                return Told(passed, told.waiting, told.trouble, told.wait)

    # --- batches ---

    def _pass_handful(self, *, at: datetime) -> int:
        rows = self._reader.read_after(passed_upto(), AT_ONCE)
        settled: set[tuple[int, int]] = set()
        passed: list[JournalRow] = []
        try:
            for row in by_rank(rows):
                if self._pass_one(row, at=at):
                    passed.append(row)
                settled.add((row.writer, row.n))
        finally:
            # Also when the line was cut in the middle: what has its receipt is not sent again.
            _mark(rows, settled, passed)
        self._receipts(passed, at=at)
        return len(settled)

    def _pass_desk(self, *, at: datetime) -> int:
        """One batch of what our own desk recorded."""
        made = self._desk.next_batch(HomeCity.objects.get(), at=at)
        if made is None:
            return 0
        row, facts = made
        try:
            self._line.send_batch(row)
        except Refused as refused:
            # Made again next time: nothing of it is lost, and nothing else waits behind it.
            self._trouble = refused.code
            return 0
        self._desk.passed(facts)
        HomeCity.objects.update(
            passed_batches=F("passed_batches") + 1, passed_facts=F("passed_facts") + len(facts)
        )
        self._receipts([row], at=at)
        return 1

    def _pass_one(self, row: JournalRow, *, at: datetime) -> bool:
        if row.body is None:
            _keep_stuck(row, row.fault or UNREADABLE, at=at)
            return False
        try:
            self._line.send_batch(row)
        except Refused as refused:
            _keep_stuck(row, refused.code, at=at)
            return False
        return True

    def _offer_stuck(self, *, at: datetime) -> None:
        for stuck in StuckBatch.objects.filter(tried_at__lt=at - STUCK_REST).order_by("tried_at")[:AT_ONCE]:
            rows = self._reader.read_after({**_beyond_all(self._reader), stuck.writer: stuck.n - 1}, 1)
            row = next((r for r in rows if (r.writer, r.n) == (stuck.writer, stuck.n)), None)
            if row is not None and self._pass_one(row, at=at):
                stuck.delete()
                HomeCity.objects.update(
                    passed_batches=F("passed_batches") + 1, passed_facts=F("passed_facts") + facts_in(row)
                )
                self._receipts([row], at=at)

    # --- our own word ---

    _trouble = ""
    _introduced: frozenset[tuple[object, ...]] = frozenset()

    def _introduce(self, *, at: datetime) -> None:
        """Tells the city who joined here before what they recorded; their leases would tell it, too."""
        self._trouble = ""
        home = HomeCity.objects.get()
        devices = new_devices(home)
        fresh = [d for d in devices if (d.id, d.revoked_at) not in self._introduced]
        for first in range(0, max(len(fresh), 1), MOST_AT_ONCE):
            self._say(Word(1, home.waiting, home.waiting_since, fresh[first : first + MOST_AT_ONCE]))
        if not self._trouble:
            self._introduced = frozenset((d.id, d.revoked_at) for d in devices)

    def _receipts(self, rows: Sequence[JournalRow], *, at: datetime) -> None:
        if rows:
            home = HomeCity.objects.get()
            told = [self._receipt(row) for row in rows]
            self._say(Word(1, home.waiting, home.waiting_since, receipts=told))

    def _receipt(self, row: JournalRow) -> HeldReceipt:
        made = make_receipt(
            self._key, batch=row.batch, device=row.device, sha256=row.sha256, received_at=row.received_at,
            count=facts_in(row),
        )  # fmt: skip
        return HeldReceipt(made.batch, made.device, made.sha256, made.received_at, made.count, made.signature)

    def _say(self, word: Word) -> None:
        try:
            self._line.say(word)
        except Refused as refused:
            # A city that does not know us still takes what its own phones signed.
            self._trouble = refused.code

    def count_waiting(self, *, at: datetime) -> int:
        """Counts what has no receipt of the city, and since when the first of it waits."""
        positions = passed_upto()
        waiting = sum(
            max(0, head - positions.get(writer, 0)) for writer, head in self._reader.heads().items()
        )
        stuck = StuckBatch.objects.order_by("since")
        since = [row.received_at for row in self._reader.read_after(positions, 1)] if waiting else []
        since += list(stuck.values_list("since", flat=True)[:1])
        own = self._desk.waiting()
        since += [fact.received_at for fact in own[:1]]
        total = waiting + stuck.count() + bool(own)
        HomeCity.objects.update(waiting=total, waiting_since=min(since, default=None))
        return total


def by_rank(rows: Sequence[JournalRow]) -> Iterator[JournalRow]:
    """Each phone's first batch before anybody's second: the city's door gives way in the same order."""
    ranks: dict[object, int] = defaultdict(int)
    ranked = []
    for place, row in enumerate(rows):
        ranked.append((ranks[row.device], place, row))
        ranks[row.device] += 1
    return (row for _, _, row in sorted(ranked, key=lambda one: one[:2]))


def passed_upto() -> dict[int, int]:
    return dict(Passage.objects.exclude(writer=DESK).values_list("writer", "position"))


def _mark(rows: Sequence[JournalRow], settled: set[tuple[int, int]], passed: Sequence[JournalRow]) -> None:
    """Moves each writer's mark over what is settled without a gap; the rest is sent again: harmless."""
    ends: dict[int, int] = {}
    broken: set[int] = set()
    for row in rows:
        if (row.writer, row.n) not in settled:
            broken.add(row.writer)
        elif row.writer not in broken:
            ends[row.writer] = row.n
    counted = [row for row in passed if row.n <= ends.get(row.writer, 0)]
    with transaction.atomic():
        for writer, position in ends.items():
            Passage.objects.update_or_create(writer=writer, defaults={"position": position})
        HomeCity.objects.update(
            passed_batches=F("passed_batches") + len(counted),
            passed_facts=F("passed_facts") + sum(map(facts_in, counted)),
        )


def _keep_stuck(row: JournalRow, code: str, *, at: datetime) -> None:
    StuckBatch.objects.update_or_create(
        writer=row.writer, n=row.n,
        defaults={"code": code, "tried_at": at},
        create_defaults={
            "code": code, "tried_at": at, "device": row.device, "batch": row.batch, "since": row.received_at,
        },
    )  # fmt: skip


def _beyond_all(reader: JournalReader) -> Mapping[int, int]:
    return reader.heads()


def facts_in(row: JournalRow) -> int:
    try:
        return len(msgspec.json.decode(row.body or b"", type=_Facts).facts)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return 0


def new_devices(home: HomeCity) -> list[NewDevice]:
    """The phones that joined here, and those of the city's that were taken back here."""
    joined = Device.objects.filter(kind=DeviceKind.FIELD, enrolled_at__gte=home.opened_at)
    taken = Device.objects.filter(kind=DeviceKind.FIELD, revoked_at__gte=home.opened_at)
    devices = {d.id: d for d in (*joined, *taken) if d.public_key}
    last: dict[object, Lease] = {}
    for lease in Lease.objects.select_related("actor").filter(device__in=devices).order_by("issued_at"):
        last[lease.device_id] = lease
    return [
        NewDevice(
            id=device.id, name=device.name, public_key=device.public_key or {},
            actor=last[device.id].actor_id, actor_name=last[device.id].actor.name,
            grids=list(last[device.id].grids), enrolled_at=device.enrolled_at, revoked_at=device.revoked_at,
        )
        for device in devices.values()
        if device.id in last
    ]  # fmt: skip


def kept_positions(folded: Mapping[int, int]) -> dict[int, int]:
    """Up to where a site's journal may be archived: folded here and in the city's hands, nothing stuck."""
    if not HomeCity.objects.exists():
        return dict(folded)
    passed = passed_upto()
    upto = {writer: min(n, passed.get(writer, 0)) for writer, n in folded.items()}
    for writer, n in StuckBatch.objects.values_list("writer", "n"):
        upto[writer] = min(upto.get(writer, 0), n - 1)
    return upto
