# SPDX-License-Identifier: Apache-2.0
"""What an offer may become, what speaks against one, what must be looked at, what fits to what. All pure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from muster.base.errors import Refusal
from muster.offers.states import MATCH_STEPS, ORGANISATIONS, TRANSITIONS, Check, OfferStatus
from muster.packs.schema import OfferCategory

LONGEST_OFFER = timedelta(days=180)
MANY_OPEN = 3
FAR_M = 5_000
_MONEY = re.compile(
    r"\d{12,}|https?:|www\.|转账|汇款|押金|手续费|保证金|验证码|微信|支付宝|bank|deposit|fee\b|transfer|paypal",
    re.IGNORECASE,
)


def warnings_of(
    *, text: str, phone: str, organisation: str, giver_kind: str, quantity: int, open_of_phone: int
) -> list[str]:
    """Codes of what somebody should look at; nothing here refuses an offer by itself."""
    found = [
        ("warn_asks_for_money", bool(_MONEY.search(text))),
        ("warn_no_phone", not phone),
        ("warn_many_offers", open_of_phone >= MANY_OPEN),
        ("warn_organisation_unnamed", giver_kind in ORGANISATIONS and not organisation.strip()),
        ("warn_very_much", quantity >= 1_000),
    ]
    return [code for code, is_so in found if is_so]


def checks_needed(category: OfferCategory, giver_kind: str) -> frozenset[str]:
    """Everybody is called back; who meets people shows who he is; who lends a place lets it be seen."""
    needed = {Check.CALLED_BACK}
    if category.meets_people:
        needed.add(Check.IDENTITY_SEEN)
    if category.is_place:
        needed.add(Check.PLACE_SEEN)
    if giver_kind in ORGANISATIONS:
        needed.add(Check.ORGANISATION_KNOWN)
    return frozenset(needed)


def demand_checks(done: Collection[str], category: OfferCategory, giver_kind: str) -> None:
    """Raises Refusal offer_check_unknown, offer_checks_missing."""
    unknown = sorted(set(done) - set(Check.values))
    if unknown:
        raise Refusal("offer_check_unknown", check=unknown[0][:20])
    missing = checks_needed(category, giver_kind) - set(done)
    if missing:
        raise Refusal("offer_checks_missing", count=len(missing))


def demand_step(status: str, to: str) -> None:
    """Raises Refusal("help_offer_step")."""
    if to not in TRANSITIONS[status]:
        raise Refusal("help_offer_step", status=status, to=to)


def demand_match_step(status: str, to: str) -> None:
    """Raises Refusal("help_match_step")."""
    if to not in MATCH_STEPS[status]:
        raise Refusal("help_match_step", status=status, to=to)


def is_usable(status: str, *, starts_at: datetime, ends_at: datetime, left: int, at: datetime) -> bool:
    """Whether something of it can be given now or later; an offer ends by itself when its time is over."""
    return status == OfferStatus.OPEN and left > 0 and ends_at > at and starts_at <= ends_at


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is, as well as it is known."""

    sub_district: int
    grid: int | None = None
    lon: float | None = None
    lat: float | None = None


def metres_between(one: Spot, other: Spot) -> int | None:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    mean = math.radians((one.lat + other.lat) / 2)
    east = math.radians(other.lon - one.lon) * math.cos(mean)
    return round(6_371_000 * math.hypot(east, math.radians(other.lat - one.lat)))


def fit(
    offer: Spot, wanted: Spot, *, rank: int, waits_since: datetime, at: datetime
) -> tuple[tuple[int, int, int], tuple[dict[str, Any], ...]]:
    """An order (less is better) and the reasons: lives first, then near, then who waits longest."""
    metres = metres_between(offer, wanted)
    same_grid = offer.grid is not None and offer.grid == wanted.grid
    same_street = offer.sub_district == wanted.sub_district and offer.sub_district != 0
    far = 0 if same_grid else (metres if metres is not None else (FAR_M // 2 if same_street else FAR_M))
    hours = max(0, int((at - waits_since).total_seconds() // 3600))
    reasons: list[dict[str, Any]] = []
    if rank == 0:
        reasons.append({"code": "match_life", "facts": {}})
    elif rank == 1:
        reasons.append({"code": "match_urgent", "facts": {}})
    if same_grid:
        reasons.append({"code": "match_same_grid", "facts": {}})
    elif metres is not None:
        reasons.append({"code": "match_near", "facts": {"metres": metres}})
    elif same_street:
        reasons.append({"code": "match_same_street", "facts": {}})
    if hours:
        reasons.append({"code": "match_waits", "facts": {"hours": hours}})
    return (rank, far // 250, -hours), tuple(reasons)
