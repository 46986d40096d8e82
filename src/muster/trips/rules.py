# SPDX-License-Identifier: Apache-2.0
"""Clocks of a trip, what a trip is by its hops, when care comes again. All of it is pure.

Nothing here can forbid a hop: leaving for care is never the software's decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muster.trips.states import ORDER, PAPERS, WAY, Hop, TripStatus, Urgency

# Minutes from being asked, where no time of arrival is known.
SOON: dict[str, tuple[int, int, int, int]] = {
    Urgency.LIFE: (5, 5, 5, 10),
    Urgency.URGENT: (20, 30, 40, 60),
    Urgency.NORMAL: (240, 480, 720, 1440),
}
# Hours before leaving, where it is known.
AHEAD: dict[str, float] = {Hop.HOSPITAL: 12, Hop.VEHICLE: 6, Hop.GATE: 1}
GRACE = timedelta(minutes=15)
MISSED_AFTER = timedelta(minutes=60)
LEAST_LEAD = timedelta(minutes=10)
# Papers of somebody who left at once may follow until then.
PAPERS_FOLLOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class HopState:
    """A hop as the rules see it."""

    code: str
    due_at: datetime
    done_at: datetime | None = None
    is_skipped: bool = False

    @property
    def is_open(self) -> bool:
        return self.done_at is None and not self.is_skipped


@dataclass(frozen=True, slots=True)
class Plan:
    """What the clocks of a trip are made from."""

    made_at: datetime
    urgency: str
    travel_minutes: int
    stay_minutes: int
    be_there_at: datetime | None = None


def first_clocks(plan: Plan) -> dict[str, datetime]:
    """Until when each hop should have happened, before any of them has."""
    made, travel = plan.made_at, timedelta(minutes=plan.travel_minutes)
    if plan.be_there_at is None:
        papers = [made + timedelta(minutes=m) for m in SOON[plan.urgency]]
        due = dict(zip((*AHEAD, Hop.LEFT), papers, strict=True))
        due[Hop.ARRIVED] = due[Hop.LEFT] + travel + GRACE
    else:
        leave = max(plan.be_there_at - travel, made + LEAST_LEAD)
        due = {
            code: _between(leave - timedelta(hours=hours), made + _patience(leave - made, most), leave)
            for (code, hours), most in zip(AHEAD.items(), SOON[plan.urgency][:-1], strict=True)
        }
        due[Hop.LEFT] = leave
        due[Hop.ARRIVED] = max(plan.be_there_at, leave + travel)
    due[Hop.WAY_BACK] = due[Hop.ARRIVED] + timedelta(minutes=plan.stay_minutes)
    due[Hop.HOME] = due[Hop.WAY_BACK] + travel + GRACE
    return due


def _patience(lead: timedelta, most: int) -> timedelta:
    """How long somebody has at least, who is asked this long before leaving: a quarter of it, or as many
    minutes as where no time of arrival is known.
    """
    return max(LEAST_LEAD, min(lead / 4, timedelta(minutes=most)))


def _between(at: datetime, first: datetime, last: datetime) -> datetime:
    return min(max(at, first), last)


def clocks_after(plan: Plan, hops: Iterable[HopState]) -> dict[str, datetime]:
    """The clocks of what is still open, given what has happened: whoever left late arrives late."""
    state = {hop.code: hop for hop in hops}
    travel, stay = timedelta(minutes=plan.travel_minutes), timedelta(minutes=plan.stay_minutes)
    due = {code: hop.due_at for code, hop in state.items()}
    steps = ((Hop.LEFT, Hop.ARRIVED, travel, GRACE), (Hop.ARRIVED, Hop.WAY_BACK, stay, timedelta()),
             (Hop.WAY_BACK, Hop.HOME, travel, GRACE))  # fmt: skip
    for before, after, takes, slack in steps:
        if before in state and after in state and state[after].is_open:
            moment = state[before].done_at
            if moment is not None:
                due[after] = moment + takes + slack
            elif not state[before].is_skipped:
                due[after] = max(due[after], due[before] + takes)
    left = state[Hop.LEFT].done_at if Hop.LEFT in state else None
    if left is not None:
        for code in PAPERS & state.keys():
            if state[code].is_open:
                due[code] = max(due[code], left + PAPERS_FOLLOW)
    return {code: due[code] for code, hop in state.items() if hop.is_open}


def furthest(hops: Iterable[HopState]) -> int:
    """How far along the way somebody is: 0 at home, 4 home again."""
    done = {hop.code for hop in hops if hop.done_at is not None}
    return max((i + 1 for i, code in enumerate(WAY) if code in done), default=0)


def status_of(hops: Collection[HopState]) -> str:
    """What a trip is: how far somebody has come, whatever papers are missing."""
    far = furthest(hops)
    if far == 0:
        return TripStatus.PLANNED
    rest = [hop for hop in hops if hop.code in WAY[far:]]
    if all(hop.is_skipped for hop in rest):
        return TripStatus.HOME  # nothing of the way is left: home, or stays there
    return (TripStatus.AWAY, TripStatus.THERE, TripStatus.COMING_BACK, TripStatus.HOME)[far - 1]


def next_hop(hops: Collection[HopState]) -> tuple[str, datetime] | None:
    """What comes next, by clock among what can still come: a part of the way that was passed does not."""
    far = furthest(hops)
    passed = set(WAY[:far])
    still = [hop for hop in hops if hop.is_open and hop.code not in passed]
    if far and any(hop.code in WAY for hop in still):
        # On the way the way comes first; papers follow.
        still = [hop for hop in still if hop.code in WAY]
    if not still:
        return None
    first = min(still, key=lambda hop: ORDER.index(hop.code))
    return first.code, first.due_at


def is_missed(*, status: str, be_there_at: datetime | None, from_series: bool, at: datetime) -> bool:
    """Care that comes again and did not happen: nobody left, and the time has passed."""
    return (
        from_series
        and status == TripStatus.PLANNED
        and be_there_at is not None
        and at > be_there_at + MISSED_AFTER
    )


def next_day(after: date, *, every_days: int, closed: Collection[date]) -> date:
    """When care comes again: so many days later. From a closed day it moves to the nearest open day before,
    and to a longer pause only where every day before is closed too.
    """
    wanted = after + timedelta(days=every_days)
    day = wanted
    while day in closed and day > after + timedelta(days=1):
        day -= timedelta(days=1)
    while day in closed:
        day = wanted = wanted + timedelta(days=1)
    return day


def days_between(first: date, until: date, *, every_days: int, closed: Collection[date]) -> list[date]:
    """The days of a series from one that is due until a day, both included."""
    days, day = [], first
    while day <= until:
        days.append(day)
        day = next_day(day, every_days=every_days, closed=closed)
    return days
