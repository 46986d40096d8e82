# SPDX-License-Identifier: Apache-2.0
"""Certificates: what a grid's head signs, and whether what he signed still stands.

A certificate says what it can and no more: who is on the list, how they were reached or explained, how
complete the list of doors is, and that others may be missing. It may be signed with reservations.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from muster.base.errors import Refusal
from muster.base.messages import fill
from muster.campaigns.models import Certificate, Round, RoundGrid
from muster.campaigns.queries import (
    account_of_grid,
    counted_classes,
    doors_of_grid,
    entries_of_grid,
)
from muster.campaigns.services import written_side
from muster.campaigns.states import DoorState, EntryClass, RoundStatus
from muster.storage.keys import keystore
from muster.storage.writes import LostRace
from muster.trail.services import record_event

SIGNABLE = frozenset({RoundStatus.CLOSING, RoundStatus.CLOSED})


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be signed now. obstacles: why it cannot be signed yet, as refusal codes."""

    figures: dict[str, Any]
    text_zh: str
    text_en: str
    entries_hash: bytes
    obstacles: tuple[str, ...]


def draft_certificate(
    round_: Round,
    grid: int,
    *,
    grid_name: str,
    time_zone: str,
    phone: str,
    at: datetime,
    grid_name_en: str = "",
) -> Draft:
    """Counts a grid afresh from its entries and doors and words the result."""
    account = account_of_grid(round_.id, grid)
    classes = counted_classes(account)
    doors = list(doors_of_grid(account).values_list("state", flat=True))
    seen = sum(1 for d in doors if d == DoorState.SEEN)
    vacant = sum(1 for d in doors if d == DoorState.VACANT)
    numbers = {
        "roster": sum(classes.values()),
        "frozen": account.frozen,
        "added": account.added,
        "moved_in": account.moved_in,
        "moved_out": account.moved_out,
        "done": classes[EntryClass.DONE],
        "explained": classes[EntryClass.EXPLAINED],
        "arranged": classes[EntryClass.ARRANGED],
        "unreached": classes[EntryClass.UNREACHED],
        "open": classes[EntryClass.OPEN],
        "doors": len(doors),
        "doors_seen": seen,
        "doors_vacant": vacant,
        "doors_never": len(doors) - seen - vacant,
        "found": account.added,
    }
    obstacles = []
    if numbers["roster"] != written_side(account):
        obstacles.append("equation_broken")
    if numbers["open"] or numbers["unreached"]:
        obstacles.append("grid_has_open_entries")
    if round_.status not in SIGNABLE:
        obstacles.append("round_not_closing")
    told = {
        **{name: str(n) for name, n in numbers.items()},
        "grid": grid_name,
        "round": round_.name,
        "phone": phone,
        "as_of": at.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M"),
    }
    lines = [
        line
        for line in round_.campaign.kind.definition.get("certificate", [])
        if _is_said(line, {**numbers, "phone": phone})
    ]
    return Draft(
        figures=numbers,
        text_zh="".join(fill(line["zh"], told) for line in lines),
        text_en=" ".join(fill(line["en"], {**told, "grid": grid_name_en or grid_name}) for line in lines),
        entries_hash=hash_of_grid(account),
        obstacles=tuple(obstacles),
    )


def _is_said(line: dict[str, Any], numbers: dict[str, Any]) -> bool:
    when = line.get("when")
    return not when or bool(numbers.get(when, 0))


def hash_of_grid(account: RoundGrid) -> bytes:
    """A hash over every entry and door of the grid: what exactly was signed."""
    hasher = hashlib.sha256()
    entries = entries_of_grid(account).order_by("sub_district", "subject")
    for subject, origin, cls, outcome, fact in entries.values_list(
        "subject", "origin", "cls", "outcome", "fact"
    ):
        hasher.update(f"{subject}|{origin}|{cls}|{outcome}|{fact}\n".encode())
    for subject, state in doors_of_grid(account).order_by("subject").values_list("subject", "state"):
        hasher.update(f"{subject}|{state}\n".encode())
    return hasher.digest()


def sign_certificate(
    round_: Round, grid: int, *, draft: Draft, by: uuid.UUID, name: str, reservations: str, at: datetime
) -> Certificate:
    """Signs what was drafted, if it is still what the ledger says.

    Raises:
        Refusal: the first obstacle's code; "certificate_exists"; LostRace where the ledger moved on
        meanwhile.
    """
    if draft.obstacles:
        raise Refusal(draft.obstacles[0], **draft.figures)
    account = account_of_grid(round_.id, grid)
    told = {
        "round": str(round_.id),
        "grid": grid,
        "figures": draft.figures,
        "entries": draft.entries_hash.hex(),
        "by": str(by),
        "at": at.isoformat(),
        "reservations": reservations,
    }
    signature = keystore().instance_key().sign(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    try:
        with transaction.atomic():
            if hash_of_grid(account) != draft.entries_hash:
                raise LostRace("certificate")
            certificate = Certificate.objects.create(
                round=round_.id,
                grid=grid,
                sub_district=account.sub_district,
                signed_by=by,
                signed_name=name,
                signed_at=at,
                reservations=reservations,
                figures=draft.figures,
                text_zh=draft.text_zh,
                text_en=draft.text_en,
                entries_hash=draft.entries_hash,
                signature=signature,
            )
            record_event(
                "Certificate",
                certificate.id,
                "sign",
                at=at,
                actor=by,
                incident=round_.incident,
                grid=grid,
                reserved=bool(reservations),
            )
    except IntegrityError as error:
        raise Refusal("certificate_exists", grid=grid) from error
    return certificate


def withdraw_certificate(certificate: Certificate, *, by: uuid.UUID, at: datetime) -> None:
    """Takes a signature back, in sight: the row stays."""
    with transaction.atomic():
        changed = Certificate.objects.filter(id=certificate.id, withdrawn_at__isnull=True).update(
            withdrawn_at=at, withdrawn_by=by
        )
        if not changed:
            raise Refusal("certificate_already_withdrawn")
        record_event("Certificate", certificate.id, "withdraw", at=at, actor=by, grid=certificate.grid)


def still_matches(certificate: Certificate) -> bool:
    """Whether the ledger still says what was signed; facts may have come in since."""
    return hash_of_grid(account_of_grid(certificate.round, certificate.grid)) == bytes(
        certificate.entries_hash
    )


def why_not_certify(round_: Round) -> Refusal | None:
    """Grids whose certificate is not signed yet."""
    signed = Certificate.objects.filter(round=round_.id, withdrawn_at__isnull=True).values("grid")
    missing = RoundGrid.objects.filter(round=round_.id).exclude(grid__in=signed).count()
    return Refusal("grids_not_certified", count=missing) if missing else None


def certify_round(round_: Round, *, by: uuid.UUID | None, at: datetime) -> Round:
    """The whole round, once every grid's certificate is signed.

    Raises:
        Refusal: "grids_not_certified" (count).
    """
    from muster.campaigns.services import change_status

    refused = why_not_certify(round_)
    if refused is not None:
        raise refused
    return change_status(round_, RoundStatus.CERTIFIED, by=by, at=at)
