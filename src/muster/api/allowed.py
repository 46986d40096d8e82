# SPDX-License-Identifier: Apache-2.0
"""What the caller may do now, said before he presses: by the same table and rules that would refuse him."""

from __future__ import annotations

from typing import Any

from muster.accounts.policy import row_for, table
from muster.api.auth import Caller, covers
from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.campaigns.certificates import why_not_certify
from muster.campaigns.models import Round
from muster.campaigns.services import freezing, why_not_close, why_not_freeze
from muster.campaigns.states import RoundStatus
from muster.places.models import Grid

LANGUAGES = ("zh", "en")
STEPS_FROM: dict[str, tuple[str, ...]] = {
    RoundStatus.PLANNED: ("freeze",),
    RoundStatus.ROSTER_FROZEN: ("open",),
    RoundStatus.OPEN: ("start-closing",),
    RoundStatus.CLOSING: ("close", "reopen"),
    RoundStatus.CLOSED: ("certify", "reopen"),
    RoundStatus.CERTIFIED: (),
}
OBSTACLES = {"freeze": why_not_freeze, "close": why_not_close, "certify": why_not_certify}


def operations_of(who: Caller) -> list[str]:
    """Every operation that a row of the table gives to one of the caller's roles, somewhere."""
    held = who.roles
    return sorted(
        name for name, rows in table().items() if any("*" in r.roles or r.roles & held for r in rows)
    )


def why_not(who: Caller, name: str, *, path: str | None = None, grid: Grid | None = None) -> Refusal | None:
    """What the table has against this caller doing this here."""
    try:
        row = row_for(name, who.roles)
    except Refusal:
        return Refusal("role_may_not")
    held = [g for g in who.grants if g.role in row.roles]
    return None if any(covers(g, path, grid) for g in held) else Refusal("area_too_wide")


def round_steps(who: Caller, round_: Round) -> list[dict[str, Any]]:
    """The steps that follow from where a round is, each with what forbids it."""
    denied = why_not(who, "rounds.run", path=round_.area_path)
    answer = []
    for step in STEPS_FROM[round_.status]:
        obstacle = OBSTACLES.get(step)
        refused = denied or (obstacle(round_) if obstacle else None)
        answer.append({"step": step, **may(refused)})
    return answer


def freeze_progress(round_: Round) -> dict[str, Any] | None:
    """How far the roster is frozen, grid by grid; None where nobody asked for it or it is done."""
    if round_.status != RoundStatus.PLANNED:
        return None
    done, total, units = freezing(round_)
    if round_.freeze_asked_at is None and not done:
        return None
    return {"asked_at": round_.freeze_asked_at, "done": done, "total": total, "units": units}


def may(refused: Refusal | None) -> dict[str, Any]:
    return {"may": refused is None, "why_not": in_words(refused) if refused else None}


def in_words(refusal: Refusal) -> dict[str, str]:
    """What forbids it and what helps, in both languages."""
    told = {"code": refusal.code}
    for lang in LANGUAGES:
        says, helps = text(refusal.code, lang, **refusal.facts), cure(refusal.code, lang, **refusal.facts)
        told[lang] = f"{says}{'，' if lang == 'zh' else '; '}{helps}" if helps else says
    return told
