# SPDX-License-Identifier: Apache-2.0
"""Errors as RFC 9457 problem+json, in the reader's language, with the cure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from ninja.errors import AuthenticationError, HttpError, ValidationError

from muster.api.auth import language
from muster.api.resident.saying import LANGUAGES, Said
from muster.api.wrong_input import told
from muster.base.errors import Refusal
from muster.base.messages import cure, text

STATUS = {
    "not_signed_in": 401, "signature_bad": 401, "csrf_missing": 403, "not_allowed": 403, "not_found": 404,
    "lease_revoked": 410, "lease_expired": 410, "lease_forged": 401, "round_changed_meanwhile": 409,
    "certificate_exists": 409, "username_taken": 409, "kind_busy": 409, "plan_changed_meanwhile": 409,
    "pair_decided": 409, "flag_stays": 409, "ledger_busy": 409,
    "reveal_budget_spent": 429, "lease_malformed": 401, "signer_unknown": 401, "token_forged": 401,
    "token_malformed": 401, "item_taken": 409, "item_taken_by": 409, "item_gone": 409, "responder_full": 409,
    "offer_over": 409, "trip_for_request_already": 409, "series_for_request_already": 409,
    "site_unknown": 401, "site_revoked": 403, "site_over": 410, "door_away": 503, "pictures_busy": 503,
    "tracking_unknown": 404, "request_unknown": 404, "responder_changed_meanwhile": 409,
    "placement_changed_meanwhile": 409, "placement_busy": 409, "placement_stale": 409,
}  # fmt: skip


def status_of(code: str) -> int:
    if code in STATUS:
        return STATUS[code]
    return 404 if code.endswith("_unknown") and not code.startswith("code_") else 422


def problem(
    request: HttpRequest,
    code: str,
    status: int,
    *,
    facts: Mapping[str, Any] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> HttpResponse:
    lang, facts = language(request), facts or {}
    try:
        title = text(code, lang, **facts)
    except (LookupError, KeyError):
        title = code
    body: dict[str, Any] = {"type": f"about:blank#{code}", "title": title, "status": status, "code": code}
    mend = _cure(code, lang, facts)
    if mend:
        body["cure"] = mend
    if facts:
        body["facts"] = facts
    if errors:
        body["errors"] = errors
    answer = HttpResponse(
        json.dumps(body, default=str, ensure_ascii=False),
        status=status,
        content_type="application/problem+json",
    )
    if status in {429, 503}:
        answer["Retry-After"] = "5"
    return answer


def _cure(code: str, lang: str, facts: Mapping[str, Any]) -> str | None:
    try:
        return cure(code, lang, **facts)
    except (LookupError, KeyError):
        return None


def on_refusal(request: HttpRequest, refusal: Refusal | type[Refusal]) -> HttpResponse:
    assert isinstance(refusal, Refusal)
    return problem(request, refusal.code, status_of(refusal.code), facts=refusal.facts)


def on_validation(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    assert isinstance(error, ValidationError)
    lang = language(request)
    return problem(request, "input_bad", 422, errors=[told(one, lang) for one in error.errors])


def on_unauthenticated(
    request: HttpRequest, _error: AuthenticationError | type[AuthenticationError]
) -> HttpResponse:
    return problem(request, "not_signed_in", 401)


def on_http_error(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    assert isinstance(error, HttpError)
    return problem(request, "input_bad" if error.status_code < 500 else "house_fault", error.status_code)


PROGRAMS = ("/api/", "/sync/", "/live/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that is not there: a problem for programs, a page for people."""
    if request.path.startswith(PROGRAMS):
        return problem(request, "not_found", 404)
    return _page(request, "not_found", 404)


def house_fault(request: HttpRequest) -> HttpResponse:
    """A fault of ours: it is in the log, and what is said outside tells nothing of the inside."""
    if request.path.startswith(PROGRAMS):
        return problem(request, "house_fault", 500)
    return _page(request, "house_fault", 500)


def _page(request: HttpRequest, code: str, status: int) -> HttpResponse:
    """What went wrong in the reader's language, and the way to the first page. It asks no database."""
    lang = request.GET.get("lang") or request.COOKIES.get("lang") or language(request)
    lang = lang if lang in LANGUAGES else "zh"
    told = {
        "w": Said(lang), "lang": lang, "other": "en" if lang == "zh" else "zh", "title": text(code, lang),
        "cure": _cure(code, lang, {}),
    }  # fmt: skip
    return HttpResponse(render_to_string("resident/went_wrong.html", told), status=status)
