# SPDX-License-Identifier: Apache-2.0
"""A desk's facts, numbered by the house's own device."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec

from muster.accounts.services import house_device, take_numbers
from muster.base.errors import Refusal
from muster.trail.incoming import Incoming


def incoming_from_desk(facts: list[dict[str, Any]], *, incident: uuid.UUID, actor: uuid.UUID, at: datetime,
                       grids: frozenset[int] | None) -> list[Incoming]:  # fmt: skip
    """Raises Refusal("subject_bad") where a fact does not say whom it is about."""
    device = house_device()
    first = take_numbers(device, len(facts))
    answer = []
    for number, fact in enumerate(facts):
        subject_type, subject, sub_district = read_subject(fact["subject"])
        answer.append(
            Incoming(
                device=device.id,
                seq=first + number,
                id=fact["id"],
                incident=incident,
                kind=fact["kind"],
                actor=actor,
                occurred_at=fact.get("occurred_at") or at,
                received_at=at,
                sub_district=sub_district,
                subject=subject,
                subject_type=subject_type,
                raw_body=msgspec.json.encode(fact["body"], enc_hook=str),
                from_desk=True,
                grids=grids,
            )
        )
    return answer


def read_subject(raw: dict[str, Any]) -> tuple[str, uuid.UUID, int]:
    named = [(kind, raw[kind]) for kind in ("person", "household", "dwelling") if raw.get(kind)]
    try:
        (kind, value), sub_district = named[0], int(raw["sub_district"])
        subject = uuid.UUID(str(value))
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise Refusal("subject_bad") from error
    if len(named) != 1:
        raise Refusal("subject_bad")
    return kind, subject, sub_district
