# SPDX-License-Identifier: Apache-2.0
"""What is asked for, before anything looks at it: search words are cut short, NUL is refused."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from muster.api.problems import PROGRAMS, problem

LONGEST = 60


def searched(typed: str) -> str:
    """Short: a pattern costs the square of its length."""
    return typed.strip()[:LONGEST]


class RefuseNul:
    """PostgreSQL keeps no NUL in a text, SQLite does: neither is asked to, and both answer alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PROGRAMS) and _has_nul(request):
            return problem(request, "input_bad", 422)
        return self.get_response(request)


def _has_nul(request: HttpRequest) -> bool:
    if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        return True
    return request.content_type == "application/json" and b"\\u0000" in request.body
