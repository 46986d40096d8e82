# SPDX-License-Identifier: Apache-2.0
"""Who calls, and whether he may: one function every endpoint asks, over the one policy table."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from muster.accounts.models import Grant, User
from muster.accounts.policy import Row, row_for
from muster.accounts.queries import grants_in_force, user_of_token
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.places.models import Grid
from muster.places.queries import scope_of
from muster.storage.scoping import Scope

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Caller:
    """The signed-in user with the grants that stand at this moment."""

    user: User
    at: datetime
    language: str

    @cached_property
    def grants(self) -> list[Grant]:
        return grants_in_force(self.user, at=self.at)

    @property
    def roles(self) -> set[str]:
        return {grant.role for grant in self.grants}

    def scope(self, row: Row) -> Scope:
        """What the grants that a policy row asks for let this caller see."""
        chosen = [g for g in self.grants if "*" in row.roles or g.role in row.roles]
        return scope_of(
            [g.area_path for g in chosen if g.area_path], [g.grid for g in chosen if g.grid is not None]
        )

    def role_for(self, row: Row) -> str:
        return next((g.role for g in self.grants if g.role in row.roles), "none")


def operation(name: str) -> Callable[[F], F]:
    """Names the policy operation of an endpoint; a test demands one on every endpoint and a row for each."""

    def mark(function: F) -> F:
        function.operation = name  # type: ignore[attr-defined]
        return function

    return mark


class SessionCookie(APIKeyCookie):
    """The browser's session, with Django's CSRF token on everything that writes."""

    param_name = "sessionid"

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return None
        if request.method not in {"GET", "HEAD", "OPTIONS"} and check_csrf(request) is not None:
            raise Refusal("csrf_missing")
        return user


class TokenBearer(HttpBearer):
    """A token made by `muster token`."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        return user_of_token(token, at=now())


AUTH = [SessionCookie(), TokenBearer()]


def caller(request: HttpRequest) -> Caller:
    """Raises Refusal("not_signed_in")."""
    known = getattr(request, "caller", None)
    if isinstance(known, Caller):
        return known
    user = getattr(request, "auth", None) or request.user
    if not isinstance(user, User) or not user.is_authenticated:
        raise Refusal("not_signed_in")
    made = Caller(user, now(), language(request, user))
    request.caller = made  # type: ignore[attr-defined]
    return made


def language(request: HttpRequest, user: User | None = None) -> str:
    """zh or en: what the page asks for, else what the user prefers."""
    asked = request.headers.get("Accept-Language", "")[:2].lower()
    if asked in {"zh", "en"}:
        return asked
    return user.language if user is not None else "zh"


def allow(
    request: HttpRequest, name: str, *, path: str | None = None, grid: Grid | None = None
) -> tuple[Caller, Row]:
    """Refuses unless a policy row lets the caller do this here; what is out of his scope does not exist for
    him.

    path: the area the act is about. grid: the grid it is about (also through its area).
    Raises Refusal not_signed_in, not_allowed, not_found.
    """
    who = caller(request)
    row = row_for(name, who.roles)
    if row.relation == "own" and (path is not None or grid is not None):
        held = [g for g in who.grants if g.role in row.roles]
        if not any(covers(g, path, grid) for g in held):
            raise Refusal("not_found")
    return who, row


def covers(grant: Grant, path: str | None, grid: Grid | None) -> bool:
    """Whether a grant reaches this area path or this grid."""
    if grid is not None:
        if grant.grid is not None and grant.grid in _lineage(grid):
            return True
        path = grid.area.path
    return bool(grant.area_path) and path is not None and path.startswith(grant.area_path)


def _lineage(grid: Grid) -> set[int]:
    ids: set[int] = set()
    step: Grid | None = grid
    while step is not None and step.id not in ids:
        ids.add(step.id)
        step = step.parent
    return ids


def actor_id(request: HttpRequest) -> uuid.UUID:
    return caller(request).user.id
