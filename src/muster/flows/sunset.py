# SPDX-License-Identifier: Apache-2.0
"""Sunset: personal data dies when its incident has ended, and a signed record says so.

Keys are destroyed first: from then on nothing sealed under the incident can be read, also in copies and
backups. Then the rows go. Counts by grid stay; the record names what was destroyed, by whom, on whose
authority, before which witness.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction

from muster.base.crypto import verify
from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry, Round
from muster.incidents.models import Incident, Mode
from muster.incidents.services import is_in_force
from muster.notifications.models import Channel, Message
from muster.notifications.senders import SMS_FOLDER, SmsFile
from muster.offers.models import HelpMatch, HelpOffer, HelpUnfit
from muster.places.models import Dwelling
from muster.register.models import DuplicatePair, Household, ImportBatch, Need, Person
from muster.requests.models import (
    CareCall,
    CareGrant,
    Contact,
    Note,
    Offer,
    Picture,
    Request,
    TeamHelp,
    WorkItem,
)
from muster.responders.models import Responder, SecondCheckIn, Standing
from muster.responders.placement.models import CalendarFeed, GridAssignment, PlacementPlan, PlacementSeat
from muster.responders.reinforcement.models import DeployedPerson, Deployment, ReinforcementOrder
from muster.responders.teams.models import Team, TeamMember, TeamPlace
from muster.sheets.models import Sheet, SheetDifference, SheetLine, SheetPicture, SheetReturn
from muster.storage.keys import keystore
from muster.storage.ledger_tables import drop_partition
from muster.trail.models import Fact, SecondCopy, Waiting
from muster.trail.services import record_event
from muster.trips.models import HospitalAsked, Trip, TripSeries

KNOWN_COPIES = ("backups older than this record", "exports handed out", "phones whose lease has not ended")


def overlay_rows(incident: uuid.UUID) -> dict[str, models.QuerySet[Any]]:
    """Everything that was kept for this incident only."""
    purpose = str(incident)
    return {
        "facts": Fact.objects.filter(incident=incident),
        "second_copies": SecondCopy.objects.filter(incident=incident),
        "waiting": Waiting.objects.filter(incident=incident),
        "sheet_differences": SheetDifference.objects.across(reason="sunset").filter(incident=incident),
        "sheet_returns": SheetReturn.objects.across(reason="sunset").filter(incident=incident),
        "sheet_lines": SheetLine.objects.across(reason="sunset").filter(purpose=purpose),
        "sheet_pictures": SheetPicture.objects.filter(incident=incident),
        "sheets": Sheet.objects.across(reason="sunset").filter(incident=incident),
        "import_batches": ImportBatch.objects.filter(incident=incident),
        "messages": Message.objects.across(reason="sunset").filter(incident=incident),
        "channels": Channel.objects.across(reason="sunset").filter(incident=incident),
        "hospitals_asked": HospitalAsked.objects.across(reason="sunset").filter(incident=incident),
        "trips": Trip.objects.across(reason="sunset").filter(incident=incident),
        "trip_series": TripSeries.objects.across(reason="sunset").filter(incident=incident),
        "offers": Offer.objects.filter(incident=incident),
        "help_matches": HelpMatch.objects.filter(incident=incident),
        "help_unfit": HelpUnfit.objects.filter(incident=incident),
        "help_offers": HelpOffer.objects.across(reason="sunset").filter(incident=incident),
        "contacts": Contact.objects.filter(
            request__in=Request.objects.across(reason="sunset").filter(incident=incident).values("id")
        ),
        "team_help": TeamHelp.objects.filter(incident=incident),
        "notes": Note.objects.across(reason="sunset").filter(purpose=purpose),
        "pictures": Picture.objects.filter(incident=incident),
        "care_calls": CareCall.objects.across(reason="sunset").filter(incident=incident),
        "work_items": WorkItem.objects.across(reason="sunset").filter(incident=incident),
        "requests": Request.objects.across(reason="sunset").filter(incident=incident),
        "care_grants": CareGrant.objects.across(reason="sunset").filter(incident=incident),
        "standings": Standing.objects.across(reason="sunset").filter(incident=incident),
        "second_check_ins": SecondCheckIn.objects.across(reason="sunset").filter(incident=incident),
        "calendar_feeds": CalendarFeed.objects.filter(incident=incident),
        "grid_assignments": GridAssignment.objects.across(reason="sunset").filter(incident=incident),
        "placement_seats": PlacementSeat.objects.across(reason="sunset").filter(incident=incident),
        "placement_plans": PlacementPlan.objects.filter(incident=incident),
        "team_places": TeamPlace.objects.filter(incident=incident),
        "team_members": TeamMember.objects.filter(incident=incident),
        "teams": Team.objects.filter(incident=incident),
        "deployed_people": DeployedPerson.objects.across(reason="sunset").filter(incident=incident),
        "deployments": Deployment.objects.across(reason="sunset").filter(incident=incident),
        "reinforcement_orders": ReinforcementOrder.objects.filter(incident=incident),
        "responders": Responder.objects.across(reason="sunset").filter(incident=incident),
        "needs": Need.objects.across(reason="sunset").filter(purpose=purpose),
        "duplicate_pairs": DuplicatePair.objects.across(reason="sunset").filter(
            models.Q(first__in=_overlay_persons(purpose)) | models.Q(second__in=_overlay_persons(purpose))
        ),
        "persons": Person.objects.across(reason="sunset").filter(purpose=purpose),
        "households": Household.objects.across(reason="sunset").filter(purpose=purpose),
        "dwellings": Dwelling.objects.across(reason="sunset").filter(purpose=purpose),
    }


def _overlay_persons(purpose: str) -> Any:
    return Person.objects.across(reason="sunset").filter(purpose=purpose).values("id")


def purposes_of(incident: uuid.UUID) -> tuple[str, str]:
    """The purposes whose keys belong to an incident: its rows and its journal."""
    return str(incident), f"journal:{incident}"


def destroy_incident_data(
    incident: Incident, *, officers: Iterable[str], authority: str, witness: str, by: uuid.UUID, at: datetime
) -> dict[str, Any]:
    """Destroys keys and rows of an ended incident and answers the signed record.

    Raises:
        Refusal: "incident_in_force", "sunset_two_officers".
    """
    named = sorted({o.strip() for o in officers if o.strip()})
    if is_in_force(incident, at=at):
        raise Refusal("incident_in_force", incident=incident.name)
    if len(named) < 2 or not authority.strip() or not witness.strip():
        raise Refusal("sunset_two_officers")
    before = count_rows(incident.id)
    digest = ciphertext_digest(incident.id)
    keys = [k for purpose in purposes_of(incident.id) for k in keystore().destroy(purpose=purpose)]
    _delete_rows(incident, by=by, at=at)
    SmsFile(settings.ENVIRONMENT.data / SMS_FOLDER).forget(incident.id)
    told = {
        "v": 1,
        "incident": str(incident.id),
        "name": incident.name,
        "at": at.isoformat(),
        "authority": authority,
        "officers": named,
        "witness": witness,
        "rows_before": before,
        "rows_after": count_rows(incident.id),
        "keys_destroyed": sorted(keys),
        "ciphertext_digest": digest,
        "kept": "counts by grid and round",
        "known_copies_outside": list(KNOWN_COPIES),
    }
    key = keystore().instance_key()
    return {
        "record": told,
        "signed_by": key.kid,
        "jwk": key.jwk,
        "signature": key.sign(canonical(told)).hex(),
    }


def _delete_rows(incident: Incident, *, by: uuid.UUID, at: datetime) -> None:
    for round_id in Round.objects.filter(incident=incident.id).values_list("id", flat=True):
        drop_partition(LedgerEntry, round_id)
        drop_partition(DoorEntry, round_id)
    with transaction.atomic():
        for rows in overlay_rows(incident.id).values():
            rows.delete()
        Incident.objects.filter(id=incident.id).update(mode=Mode.CLOSED)
        record_event(
            "Incident", incident.id, "sunset", at=at, actor=by, incident=incident.id, to_state=Mode.CLOSED
        )


def count_rows(incident: uuid.UUID) -> dict[str, int]:
    counts = {name: rows.count() for name, rows in overlay_rows(incident).items()}
    rounds = list(Round.objects.filter(incident=incident).values_list("id", flat=True))
    counts["ledger_entries"] = LedgerEntry.objects.filter(round__in=rounds).count()
    counts["door_entries"] = DoorEntry.objects.filter(round__in=rounds).count()
    return counts


def ciphertext_digest(incident: uuid.UUID) -> str:
    """A digest over every sealed fact of the incident, taken before it goes: what exactly was destroyed."""
    hasher = hashlib.sha256()
    for body in (
        Fact.objects.filter(incident=incident)
        .order_by("device", "seq")
        .values_list("body", flat=True)
        .iterator()
    ):
        hasher.update(hashlib.sha256(bytes(body or b"")).digest())
    return hasher.hexdigest()


def canonical(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def check_destruction(document: dict[str, Any]) -> list[str]:
    """What speaks against a destruction record, as codes; an empty list means it holds here and now."""
    try:
        told, jwk = document["record"], document["jwk"]
        signature, incident = bytes.fromhex(document["signature"]), uuid.UUID(told["incident"])
        keys = [int(k) for k in told["keys_destroyed"]]
    except (KeyError, ValueError, TypeError):
        return ["record_unreadable"]
    faults = []
    if not verify("Ed25519", jwk, canonical(told), signature):
        faults.append("signature_bad")
    if jwk not in [k.jwk for k in keystore().trusted_keys()]:
        faults.append("signer_not_of_this_house")
    if any(count_rows(incident).values()):
        faults.append("rows_left")
    if any(_can_be_read(key) for key in keys):
        faults.append("keys_left")
    return faults


def _can_be_read(key: int) -> bool:
    from muster.base.crypto import KeyDestroyed

    try:
        keystore().data_key_by_id(key)
    except KeyDestroyed:
        return False
    return True
