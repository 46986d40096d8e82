# SPDX-License-Identifier: Apache-2.0
"""Vetting: a desk says yes or no to whom checked in, and compares a second check-in with the first."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction

from muster.base.errors import Refusal
from muster.responders import telling
from muster.responders.checking_in import second_values, set_home, set_values
from muster.responders.homes import Home
from muster.responders.models import Responder, SecondCheckIn
from muster.responders.standing import change_status, change_statuses, move_standing
from muster.responders.states import ResponderStatus
from muster.trail.services import record_event

MOST_AT_ONCE = 500


class VettingReason(models.TextChoices):
    """Why not. It is told to who checked in, in plain words."""

    DUPLICATE = "DUPLICATE"
    NOT_REACHED = "NOT_REACHED"
    NOT_SUITABLE = "NOT_SUITABLE"
    UNDER_AGE = "UNDER_AGE"
    ENOUGH = "ENOUGH"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody who was not accepted with the others, and why."""

    responder: uuid.UUID
    code: str


def accept(
    row: Responder,
    *,
    by: uuid.UUID,
    at: datetime,
    is_adult: bool = False,
    certificates_seen: Collection[str] = (),
) -> Responder:
    """Yes. is_adult: the desk knows that he is of age, where he did not say when he was born.

    Raises:
        Refusal: responder_step, responder_age_untold, responder_vets_himself, responder_changed_meanwhile.
    """
    _demand_vetting(row, by=by, is_adult=is_adult)
    see_certificates(row, certificates_seen)
    row.vetted_at, row.vetted_by, row.declined_reason, row.is_suspect = at, by, "", False
    with transaction.atomic():
        done = change_status(
            row, ResponderStatus.VETTED, by=by, at=at, verb="accept",
            columns=("vetted_at", "vetted_by", "declined_reason", "is_suspect", "certificates"),
        )  # fmt: skip
        telling.accepted([done], at=at)
    return done


def _demand_vetting(row: Responder, *, by: uuid.UUID, is_adult: bool) -> None:
    if row.status not in {ResponderStatus.REGISTERED, ResponderStatus.DECLINED}:
        raise Refusal("responder_step", status=row.status, to=ResponderStatus.VETTED)
    if row.name is None:
        raise Refusal("responder_forgotten")
    if row.birth_year is None and not is_adult:
        raise Refusal("responder_age_untold")
    if row.user == by:
        raise Refusal("responder_vets_himself")


def accept_many(
    rows: Sequence[Responder], *, by: uuid.UUID, at: datetime, doubtful: Collection[uuid.UUID] = ()
) -> tuple[list[uuid.UUID], list[Left]]:
    """Yes to all that need no second look. Who does is left, with the reason; the others go in together.

    doubtful: who may be somebody else too.
    """
    good: list[Responder] = []
    left: list[Left] = []
    waiting = set(
        SecondCheckIn.objects.across(reason="own")
        .filter(responder__in=[row.id for row in rows], decided_at__isnull=True)
        .values_list("responder", flat=True)
    )
    for row in rows:
        try:
            _demand_vetting(row, by=by, is_adult=False)
        except Refusal as refusal:
            left.append(Left(row.id, refusal.code))
            continue
        if row.id in doubtful or row.id in waiting:
            left.append(Left(row.id, "responder_maybe_double"))
        elif row.is_suspect:
            left.append(Left(row.id, "responder_suspect"))
        else:
            row.vetted_at, row.vetted_by, row.declined_reason = at, by, ""
            good.append(row)
    with transaction.atomic():
        change_statuses(
            good, ResponderStatus.VETTED, by=by, at=at, verb="accept",
            columns=("vetted_at", "vetted_by", "declined_reason"),
        )  # fmt: skip
        telling.accepted(good, at=at)
    return [row.id for row in good], left


def decline(row: Responder, *, reason: str, by: uuid.UUID, at: datetime) -> Responder:
    """No, with a reason that he can read. It is no judgement, and can be taken back.

    Raises:
        Refusal: vetting_reason_bad, responder_step, responder_changed_meanwhile.
    """
    if reason not in VettingReason.values:
        raise Refusal("vetting_reason_bad", reason=reason[:20])
    row.declined_reason, row.vetted_at, row.vetted_by = reason, None, None
    with transaction.atomic():
        done = change_status(
            row, ResponderStatus.DECLINED, by=by, at=at, verb="decline", reason=reason,
            columns=("declined_reason", "vetted_at", "vetted_by"),
        )  # fmt: skip
        telling.declined(done, at=at)
    return done


def see_certificates(row: Responder, names: Collection[str]) -> None:
    """Marks those that a desk has held in its hands; the caller writes the row."""
    row.certificates = [
        {**one, "seen": True} if one.get("name") in names else one for one in row.certificates
    ]


def note_certificates(row: Responder, names: Collection[str], *, by: uuid.UUID, at: datetime) -> Responder:
    see_certificates(row, names)
    row.version += 1
    with transaction.atomic():
        row.save(update_fields=["certificates", "version"])
        record_event(
            "Responder", row.id, "see_certificates", at=at, actor=by, incident=row.incident,
            count=sum(1 for one in row.certificates if one.get("seen")),
        )  # fmt: skip
    return row


def decide_second(
    row: Responder, second: uuid.UUID, *, take_over: bool, by: uuid.UUID, at: datetime
) -> Responder:
    """The second check-in of a phone is what counts, or the first one is. Its code leads nowhere afterwards.

    Raises:
        Refusal: second_unknown.
    """
    with transaction.atomic():
        found = (
            SecondCheckIn.objects.across(reason="own")
            .select_for_update()
            .filter(id=second, responder=row, decided_at__isnull=True)
            .first()
        )
        if found is None:
            raise Refusal("second_unknown")
        if take_over:
            values = second_values(found)
            home = Home.of_text(values.pop("home"), text=values.pop("home_text"))
            set_values(row, values)
            set_home(row, home)
            row.code_index = found.code_index
            row.version += 1
            row.save()
            move_standing(row, at=at)
        found.decided_at, found.decided_by, found.taken_over, found.told = at, by, take_over, None
        found.save()
        record_event(
            "Responder", row.id, "decide_second", at=at, actor=by, incident=row.incident,
            reason="taken_over" if take_over else "kept",
        )  # fmt: skip
    return row
