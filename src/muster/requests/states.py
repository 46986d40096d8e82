# SPDX-License-Identifier: Apache-2.0
"""States of requests, work items and offers, and which change may follow which."""

from django.db import models


class Urgency(models.TextChoices):
    """Life first, on every screen, and never capped."""

    LIFE = "LIFE"
    URGENT = "URGENT"
    NORMAL = "NORMAL"


RANK: dict[str, int] = {Urgency.LIFE: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2}


class Channel(models.TextChoices):
    WEB = "WEB"
    PHONE = "PHONE"
    CHAT = "CHAT"
    COUNTER = "COUNTER"
    WORKER = "WORKER"
    PROACTIVE = "PROACTIVE"
    API = "API"


class RequestStatus(models.TextChoices):
    NEW = "NEW"
    TRIAGED = "TRIAGED"
    DISPATCHED = "DISPATCHED"
    ACCEPTED = "ACCEPTED"
    ON_SITE = "ON_SITE"
    DONE = "DONE"
    CONFIRMED = "CONFIRMED"
    CLOSED_UNREACHED = "CLOSED_UNREACHED"
    ON_HOLD = "ON_HOLD"
    LINKED = "LINKED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


S = RequestStatus

# Nothing more will be done; a late "not solved" still opens it again.
ENDED = frozenset({S.CONFIRMED, S.CLOSED_UNREACHED, S.LINKED, S.REFUSED, S.WITHDRAWN})
# Somebody must still be found, or must still answer.
WAITING = frozenset({S.NEW, S.TRIAGED, S.DISPATCHED})
UNDER_WAY = frozenset({S.ACCEPTED, S.ON_SITE})
OPEN = WAITING | UNDER_WAY | {S.ON_HOLD, S.DONE}

TRANSITIONS: dict[str, frozenset[str]] = {
    S.NEW: frozenset({S.TRIAGED, S.DISPATCHED, S.ACCEPTED, S.ON_HOLD, S.LINKED, S.REFUSED, S.WITHDRAWN}),
    S.TRIAGED: frozenset({S.TRIAGED, S.DISPATCHED, S.ACCEPTED, S.ON_HOLD, S.LINKED, S.REFUSED, S.WITHDRAWN}),
    S.DISPATCHED: frozenset(
        {S.TRIAGED, S.DISPATCHED, S.ACCEPTED, S.ON_HOLD, S.LINKED, S.REFUSED, S.WITHDRAWN}
    ),
    S.ACCEPTED: frozenset({S.TRIAGED, S.ON_SITE, S.DONE, S.ON_HOLD, S.WITHDRAWN}),
    S.ON_SITE: frozenset({S.TRIAGED, S.DONE, S.ON_HOLD, S.WITHDRAWN}),
    S.ON_HOLD: frozenset(
        {S.TRIAGED, S.DISPATCHED, S.ACCEPTED, S.ON_SITE, S.DONE, S.REFUSED, S.WITHDRAWN, S.LINKED}
    ),
    S.DONE: frozenset({S.CONFIRMED, S.CLOSED_UNREACHED, S.TRIAGED}),
    S.CONFIRMED: frozenset({S.TRIAGED}),
    S.CLOSED_UNREACHED: frozenset({S.CONFIRMED, S.TRIAGED}),
    S.LINKED: frozenset({S.TRIAGED}),
    S.REFUSED: frozenset({S.TRIAGED}),
    S.WITHDRAWN: frozenset({S.TRIAGED}),
}


class ItemStatus(models.TextChoices):
    """A piece of work of a request: one person does it."""

    OPEN = "OPEN"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    ON_SITE = "ON_SITE"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


ITEM_TAKEN = frozenset({ItemStatus.ACCEPTED, ItemStatus.ON_SITE})
ITEM_FREE = frozenset({ItemStatus.OPEN, ItemStatus.OFFERED})


class OfferStatus(models.TextChoices):
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"
    LOST = "LOST"
    TAKEN_BACK = "TAKEN_BACK"


class Outcome(models.TextChoices):
    """How a piece of work ended, as its doer says."""

    SOLVED = "SOLVED"
    PARTLY = "PARTLY"
    NOT_HOME = "NOT_HOME"
    NOT_POSSIBLE = "NOT_POSSIBLE"


class HoldReason(models.TextChoices):
    NO_SUPPLIES = "NO_SUPPLIES"
    AWAITING_ANSWER = "AWAITING_ANSWER"
    NOT_HOME = "NOT_HOME"
    NEEDS_SENIOR = "NEEDS_SENIOR"


class DeclineReason(models.TextChoices):
    """A reason is asked for so that the next offer fits better; it has no consequence."""

    TOO_FAR = "TOO_FAR"
    NOT_ABLE = "NOT_ABLE"
    BUSY = "BUSY"
    RESTING = "RESTING"
    UNSAFE = "UNSAFE"
    KNOWS_THEM = "KNOWS_THEM"
    OTHER = "OTHER"


class CallResult(models.TextChoices):
    """What a call to somebody quiet gave. VISIT: nobody could say, so somebody was asked to look in."""

    WELL = "WELL"
    HELP = "HELP"
    NO_ANSWER = "NO_ANSWER"
    VISIT = "VISIT"


class ContactResult(models.TextChoices):
    """What a call-back, or the resident's own answer, gave."""

    SOLVED = "SOLVED"
    NOT_SOLVED = "NOT_SOLVED"
    NO_ANSWER = "NO_ANSWER"
