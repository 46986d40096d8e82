# SPDX-License-Identifier: Apache-2.0
"""The published list of what becomes of a fact: each reason with its verdict. No Django here: pages are made
from it.

A reason's words and cure, in both languages, stand in messages.toml under its code. What a device gets at the
door itself is in `intake.answers`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a fact, or a whole batch, is not simply applied."""

    code: str
    verdict: str


# The fact counts; somebody should look at it.
_FLAGGED = (
    "time_future",
    "time_ancient",
    "clock_behind_revoked",
    "body_differs",
    "seq_reused",
    "after_close",
    "round_not_open",
    "work_taken",
    "work_ended",
    "work_not_for_you",
    "trip_was_off",
    "trip_not_yours",
    "duty_not_yours",
    "duty_changed_since",
    "duty_code_wrong",
)
# The fact waits in sight until what it lacks is there, or a person decides.
_HELD = (
    "unknown_kind",
    "bad_body",
    "unknown_subject",
    "unknown_round",
    "unknown_outcome",
    "undone_fact_unknown",
)
# The fact is set aside: it came from where it should not have come. A person decides.
_QUARANTINED = (
    "bad_signature",
    "lease_forged",
    "lease_expired",
    "lease_revoked",
    "device_unknown",
    "actor_not_on_device",
    "out_of_scope",
    "field_conflict",
)
# A batch of which no fact can be told apart: kept in the journal, noted by its place there.
_BATCHES = ("envelope_bad", "seal_broken", "key_destroyed")

FACTS = tuple(
    Reason(code, verdict)
    for verdict, codes in (("FLAGGED", _FLAGGED), ("HELD", _HELD), ("QUARANTINED", _QUARANTINED))
    for code in codes
)
BATCHES = tuple(Reason(code, "UNREADABLE") for code in _BATCHES)
