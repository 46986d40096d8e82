# SPDX-License-Identifier: Apache-2.0
"""Who serves hears what was decided about him: accepted or not, due for a rest, relieved, to take over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from muster.notifications.services import Telling, ToResponder, notify_many
from muster.responders.models import Responder


def to(one: Responder) -> ToResponder:
    return ToResponder(one.id, one.user, one.phone or "", one.sub_district, language_of(one))


def language_of(one: Responder) -> str:
    return "en" if "en" in one.languages and "zh" not in one.languages else "zh"


def accepted(people: Iterable[Responder], *, at: datetime) -> None:
    _tell("check_in_accepted", people, at=at)


def declined(one: Responder, *, at: datetime) -> None:
    """Not why: that stands behind his code."""
    _tell("check_in_declined", [one], at=at)


def over_hours(people: Iterable[Responder], *, at: datetime) -> None:
    """Once for each spell on duty."""
    people = list(people)
    tellings = [Telling("hours_over", f"{one.id}|{one.on_duty_since}", to(one)) for one in people]
    if people:
        notify_many(tellings, incident=people[0].incident, at=at)


def relieved(one: Responder, *, at: datetime) -> None:
    _tell("relieved", [one], at=at)


def takes_over(one: Responder, *, at: datetime) -> None:
    _tell("takes_over", [one], at=at)


def _tell(template: str, people: Iterable[Responder], *, at: datetime) -> None:
    """Decided anew, he hears it anew."""
    people = list(people)
    if people:
        tellings = [Telling(template, f"{one.id}|{at.isoformat()}", to(one)) for one in people]
        notify_many(tellings, incident=people[0].incident, at=at)
