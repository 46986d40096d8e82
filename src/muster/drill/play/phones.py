# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a phone: no network, a flat battery, a clock that is off. Drawn once a day."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import time, timedelta

from muster.drill.city.day import Day
from muster.drill.play.truth import House

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Trouble:
    """gaps: (begin, end, where) in seconds of the day; flat: spells without a phone at all."""

    gaps: tuple[tuple[float, float, str], ...]
    flat: tuple[Span, ...]
    shift: timedelta
    sends_next_day: bool

    def is_online(self, clock: float, house: House | None, *, over: bool) -> bool:
        """over: the day's work is done."""
        if self.sends_next_day:
            return over
        if over:
            return True
        if self.flat_until(clock) is not None:
            return False
        return not any(begin <= clock < end and _is_at(where, house) for begin, end, where in self.gaps)

    def flat_until(self, clock: float) -> float | None:
        return next((end for begin, end in self.flat if begin <= clock < end), None)


def trouble_of(day: Day, rng: random.Random) -> Trouble:
    """Draws the troubles of one phone."""
    network, clocks = day.network, day.clocks
    length = _seconds(day, day.ends)
    gaps = [
        (_seconds(day, g.start), _seconds(day, g.end), g.where)
        for g in network.gaps
        if rng.random() < g.share
    ]
    if rng.random() < network.weak.share:
        gaps += [(*spell, "all") for spell in _spells(network.weak.minutes, length, rng, count=4)]
    flat: tuple[Span, ...] = ()
    if rng.random() < network.flat_battery.share:
        flat = _spells(network.flat_battery.minutes, length, rng, count=1)
    shift = timedelta()
    if rng.random() < clocks.far_share:
        shift = timedelta(days=rng.uniform(*clocks.far_days))
    elif rng.random() < clocks.off_share:
        shift = timedelta(minutes=rng.uniform(*clocks.off_minutes))
    return Trouble(tuple(gaps), flat, shift, rng.random() < network.night_before_sync)


def _seconds(day: Day, at: time) -> float:
    return ((at.hour - day.starts.hour) * 60 + at.minute - day.starts.minute) * 60.0


def _spells(minutes: Span, length: float, rng: random.Random, *, count: int) -> tuple[Span, ...]:
    starts = sorted(rng.uniform(0, length) for _ in range(count))
    return tuple((start, start + rng.uniform(*minutes) * 60) for start in starts)


def _is_at(where: str, house: House | None) -> bool:
    if where == "all":
        return True
    if house is None:
        return False
    what, _, kind = where.partition(":")
    return {"compound": house.compound, "building": house.kind, "zone": house.zone}.get(what) == kind
