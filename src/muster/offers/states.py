# SPDX-License-Identifier: Apache-2.0
"""States of what is offered, and of each part of it that goes to somebody."""

from django.db import models


class GiverKind(models.TextChoices):
    RESIDENT = "RESIDENT"
    NEIGHBOUR = "NEIGHBOUR"
    LANDLORD = "LANDLORD"
    EMPLOYER = "EMPLOYER"
    CHARITY = "CHARITY"
    OTHER = "OTHER"


ORGANISATIONS = frozenset({GiverKind.EMPLOYER, GiverKind.CHARITY})


class OfferStatus(models.TextChoices):
    """OPEN: looked at and good to use. NOTED: money is written down and never collected here."""

    NEW = "NEW"
    OPEN = "OPEN"
    NOTED = "NOTED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"


S = OfferStatus
ENDED = frozenset({S.DECLINED, S.WITHDRAWN})
TRANSITIONS: dict[str, frozenset[str]] = {
    S.NEW: frozenset({S.OPEN, S.NOTED, S.DECLINED, S.WITHDRAWN}),
    S.OPEN: frozenset({S.DECLINED, S.WITHDRAWN}),
    S.NOTED: frozenset({S.DECLINED, S.WITHDRAWN}),
    S.DECLINED: frozenset({S.NEW}),
    S.WITHDRAWN: frozenset(),
}


class Check(models.TextChoices):
    """What somebody looked at before an offer is used."""

    CALLED_BACK = "CALLED_BACK"
    IDENTITY_SEEN = "IDENTITY_SEEN"
    ORGANISATION_KNOWN = "ORGANISATION_KNOWN"
    PLACE_SEEN = "PLACE_SEEN"


class MatchStatus(models.TextChoices):
    RESERVED = "RESERVED"
    GIVEN = "GIVEN"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"


M = MatchStatus
MATCH_STEPS: dict[str, frozenset[str]] = {
    M.RESERVED: frozenset({M.GIVEN, M.CANCELLED}),
    M.GIVEN: frozenset({M.RETURNED}),
    M.RETURNED: frozenset(),
    M.CANCELLED: frozenset(),
}
# What is out of the giver's stock.
HOLDS = frozenset({M.RESERVED, M.GIVEN})
