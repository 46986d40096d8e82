# SPDX-License-Identifier: Apache-2.0
"""Checking in: somebody says that he will serve, comes back with his code, changes or withdraws what he said.

The code follows from the form that was sent: the same form sent twice is one check-in with one code. A phone
that is known changes nothing of whom it belongs to; the second check-in waits for a desk to compare the two.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from django.db import IntegrityError, transaction

from muster.base.codes import CROCKFORD, ENROL_LETTERS
from muster.base.crypto import blind_index
from muster.base.errors import Refusal
from muster.notifications.services import forget_reader
from muster.responders.form import listed
from muster.responders.homes import Home
from muster.responders.models import Responder, SecondCheckIn, Standing
from muster.responders.placement.told import no_longer_to_tell
from muster.responders.standing import affiliations_of, move_standing, standings
from muster.storage.keys import keystore
from muster.storage.many_rows import Insert
from muster.trail.models import Event
from muster.trail.services import record_event

PURPOSE = "responders"
# So many second check-ins of one phone wait at most; the oldest makes room.
MOST_SECONDS = 5
SEALED = ("name", "phone", "branch", "limits", "home_text")
# What a desk vouched for; once vetted, only a desk changes it.
VOUCHED = ("name", "phone", "birth_date", "affiliations")


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a form. `second`: the phone was known; what its sender sees is the same."""

    code: str
    responder: uuid.UUID | None = None
    second: uuid.UUID | None = None


def code_of_form(form: str) -> str:
    """The code that a form's own number leads to; nobody can tell it from the number without our key."""
    raw = int.from_bytes(blind_index(keystore(), purpose=f"{PURPOSE}:form", value=form)[:8])
    letters = "".join(CROCKFORD[(raw >> (5 * at)) & 31] for at in range(ENROL_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def code_index(code: str) -> bytes:
    return blind_index(keystore(), purpose=f"{PURPOSE}:code", value=code)


def phone_index(phone: str | None) -> bytes | None:
    digits = "".join(c for c in phone or "" if c.isdigit())
    return blind_index(keystore(), purpose=f"{PURPOSE}:phone", value=digits) if digits else None


def new_responder(
    values: Mapping[str, str], *, home: Home, incident: uuid.UUID, channel: str, at: datetime
) -> Responder:
    """The row of somebody new, from checked values; nothing is written."""
    row = Responder(
        incident=incident, purpose=str(incident), sub_district=home.sub_district, status_since=at,
        checked_in_at=at, channel=channel,
    )  # fmt: skip
    set_values(row, values)
    set_home(row, home)
    return row


def set_values(row: Responder, values: Mapping[str, str]) -> None:
    """Puts checked values on a row; what is not among them stays."""
    for name in ("name", "phone", "branch", "limits", "external_id"):
        if name in values:
            setattr(row, name, values[name])
    if "phone" in values:
        row.phone_index = phone_index(values["phone"])
    if "organisation" in values:
        row.unit = values["organisation"]
    if "birth_date" in values:
        row.birth_year = int(values["birth_date"][:4]) if values["birth_date"] else None
    if "affiliations" in values:
        row.affiliations = listed(values["affiliations"])
        row.affiliation = (row.affiliations or [""])[0]
    if "certificates" in values:
        row.certificates = _certificates(row, listed(values["certificates"]))
    for name in ("skills", "languages", "free_times", "cannot"):
        if name in values:
            setattr(row, name, listed(values[name]))


def _certificates(row: Responder, names: list[str]) -> list[dict[str, object]]:
    """What a desk has seen stays seen; what is new has yet to be shown."""
    known = {one["name"]: one for one in row.certificates if isinstance(one, dict)}
    return [known.get(name, {"name": name, "seen": False}) for name in names]


def set_home(row: Responder, home: Home) -> None:
    """Where he lives; what is sealed moves under the key of that place."""
    if row.sub_district != home.sub_district:
        # Opened under the old key, so that saving seals it under the new one.
        for name in SEALED:
            setattr(row, name, getattr(row, name))
    row.sub_district, row.home_area, row.home_grid = home.sub_district, home.area, home.grid
    row.lon, row.lat, row.home_text = home.lon, home.lat, home.text


def check_in(
    values: Mapping[str, str],
    *,
    home: Home,
    incident: uuid.UUID,
    form: str,
    at: datetime,
    channel: str = "WEB",
    expires_on: date | None = None,
    suspect: bool = False,
) -> Received:
    """Takes a check-in. It is never refused for being a second one, or one of many.

    Raises:
        Refusal: responder_ask_desk where a form already vetted is sent again with another name or phone.
    """
    code = code_of_form(form)
    row = new_responder(values, home=home, incident=incident, channel=channel, at=at)
    row.code_index, row.expires_on, row.is_suspect = code_index(code), expires_on, suspect
    try:
        _write_new(row, at=at)
    except IntegrityError:
        return _known(row, values, home, code=code, at=at)
    return Received(code, row.id)


def _write_new(row: Responder, *, at: datetime) -> None:
    # Made ready and sealed before the pen is taken: in a rush hundreds wait for it.
    event = Event(
        at=at, incident=row.incident, entity="Responder", entity_id=str(row.id), verb="check_in",
        to_state=row.status, facts={"channel": row.channel, "grid": row.home_grid},
    )  # fmt: skip
    made = [Insert(Responder, [row]), Insert(Standing, standings([row])), Insert(Event, [event])]
    with transaction.atomic():
        for one in made:
            one.execute()


def _known(new: Responder, values: Mapping[str, str], home: Home, *, code: str, at: datetime) -> Received:
    """The same form again, or a phone that is known."""
    own = Responder.objects.across(reason="own").filter(code_index=new.code_index).first()
    if own is None:
        return _second(new, values, home, code=code, at=at)
    return change_or_second(own, values, home=home, code=code, at=at)


def change_or_second(
    own: Responder, values: Mapping[str, str], *, home: Home, code: str, at: datetime
) -> Received:
    """Changes what somebody said. A phone corrected into a known one makes it a second check-in.

    Raises:
        Refusal: responder_ask_desk.
    """
    try:
        with transaction.atomic():
            return Received(code, change_own(own, values, home=home, at=at).id)
    except IntegrityError:
        with transaction.atomic():
            Standing.objects.across(reason="own").filter(responder=own.id).delete()
            Responder.objects.across(reason="own").filter(id=own.id).delete()
    new = new_responder(values, home=home, incident=own.incident, channel=own.channel, at=at)
    new.code_index = own.code_index
    return _second(new, values, home, code=code, at=at)


def _second(new: Responder, values: Mapping[str, str], home: Home, *, code: str, at: datetime) -> Received:
    first = (
        Responder.objects.across(reason="own")
        .filter(incident=new.incident, phone_index=new.phone_index)
        .first()
    )
    if first is None:
        raise Refusal("responder_changed_meanwhile")
    seconds = SecondCheckIn.objects.across(reason="own")
    row = SecondCheckIn(
        responder=first, incident=first.incident, purpose=first.purpose, sub_district=first.sub_district,
        grid=first.home_grid, code_index=new.code_index, told=_second_told(values, home), at=at,
    )  # fmt: skip
    with transaction.atomic():
        seconds.filter(code_index=new.code_index).delete()
        waiting = seconds.filter(responder=first, decided_at__isnull=True).order_by("-at", "-id")
        for old in waiting[MOST_SECONDS - 1 :]:
            old.delete()
        row.save(force_insert=True)
        record_event("Responder", first.id, "second_check_in", at=at, actor=None, incident=first.incident)
    return Received(code, second=row.id)


def _second_told(values: Mapping[str, str], home: Home) -> str:
    return msgspec.json.encode({**values, "home": home.said(), "home_text": home.text}).decode()


def change_second(
    second: SecondCheckIn, values: Mapping[str, str], *, home: Home, code: str, at: datetime
) -> Received:
    """The sender of a second check-in changes it; with a phone of his own he is somebody new."""
    if phone_index(values["phone"]) == second.responder.phone_index:
        second.told, second.at = _second_told(values, home), at
        second.save()
        return Received(code, second=second.id)
    row = new_responder(values, home=home, incident=second.incident, channel="WEB", at=at)
    row.code_index, row.expires_on = second.code_index, second.responder.expires_on
    second.delete()
    try:
        _write_new(row, at=at)
    except IntegrityError:
        return _second(row, values, home, code=code, at=at)
    return Received(code, row.id)


def second_values(second: SecondCheckIn) -> dict[str, str]:
    said: dict[str, str] = msgspec.json.decode(second.told or "{}")
    return said


def change_own(row: Responder, values: Mapping[str, str], *, home: Home, at: datetime) -> Responder:
    """Somebody changes what he said. What a desk vouched for only a desk changes.

    Raises:
        Refusal: responder_ask_desk; IntegrityError where the new phone is known.
    """
    before = {**values_of(row), "home": Home.of_row(row).said(), "home_text": row.home_text or ""}
    if row.vetted_at is not None:
        moved = [name for name in VOUCHED if name in values and values[name] != before[name]]
        if "birth_date" in moved and values["birth_date"][:4] == before["birth_date"]:
            moved.remove("birth_date")
        if moved:
            raise Refusal("responder_ask_desk")
    affiliations = affiliations_of(row)
    place = (row.sub_district, row.home_area, row.home_grid)
    set_values(row, values)
    set_home(row, home)
    after = {**values_of(row), "home": home.said(), "home_text": home.text}
    changed = sorted(name for name, was in before.items() if after[name] != was)
    if not changed:
        return row
    row.version += 1
    with transaction.atomic():
        row.save()
        record_event("Responder", row.id, "change", at=at, actor=None, incident=row.incident, fields=changed)
        if affiliations != affiliations_of(row) or place != (row.sub_district, row.home_area, row.home_grid):
            move_standing(row, at=at)
    return row


def values_of(row: Responder) -> dict[str, str]:
    """What a row says, in the words of the form."""
    return {
        "name": row.name or "", "phone": row.phone or "",
        "birth_date": str(row.birth_year or ""), "organisation": row.unit, "branch": row.branch or "",
        "affiliations": ",".join(affiliations_of(row)), "skills": ",".join(row.skills),
        "certificates": ",".join(str(one["name"]) for one in row.certificates if isinstance(one, dict)),
        "languages": ",".join(row.languages), "free_times": ",".join(row.free_times),
        "cannot": ",".join(row.cannot), "limits": row.limits or "", "external_id": row.external_id,
    }  # fmt: skip


def checked_in(code: str) -> Responder | SecondCheckIn:
    """Who is behind a code, in its one spelling. Raises Refusal("check_in_unknown")."""
    index = code_index(code)
    found: Responder | None = Responder.objects.across(reason="own").filter(code_index=index).first()
    if found is not None:
        return found
    second: SecondCheckIn | None = (
        SecondCheckIn.objects.across(reason="own").filter(code_index=index, decided_at__isnull=True).first()
    )
    if second is None:
        raise Refusal("check_in_unknown")
    return second


def forget(row: Responder, *, at: datetime) -> None:
    """Deletes what somebody said of himself. What stays is a number: that somebody served, where and when."""
    with transaction.atomic():
        SecondCheckIn.objects.across(reason="own").filter(responder=row).delete()
        for name in SEALED:
            setattr(row, name, None)
        row.phone_index = row.code_index = row.user = row.birth_year = row.lon = row.lat = None
        row.unit = row.external_id = row.duty = row.post = ""
        row.skills, row.certificates, row.languages, row.free_times, row.cannot = [], [], [], [], []
        row.version += 1
        row.save()
        forget_reader(row.id)
        no_longer_to_tell([row.id])
        record_event("Responder", row.id, "forget", at=at, actor=None, incident=row.incident)
