# SPDX-License-Identifier: Apache-2.0
"""What a site asks of its city: hear our word, tell us the news. The key is the site's own signature."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from muster.api.auth import operation
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.sync.site.city_side import calling_site, hear_word, news_for
from muster.sync.site.telling import Word

sync_router = Router(tags=["sync"])
T = TypeVar("T")


class _Asked(msgspec.Struct):
    cursor: dict[str, Any]


@sync_router.post("/site/word", auth=None, operation_id="site_word")
@operation("session.read")
def word(request: HttpRequest) -> dict[str, Any]:
    """How a site stands, who joined there, which batches it held."""
    at = now()
    site = calling_site(request.headers.get("Authorization", ""), at=at)
    return {"receipts": hear_word(site, _read(request, Word), at=at)}


@sync_router.post("/site/news", auth=None, operation_id="site_news")
@operation("session.read")
def news(request: HttpRequest) -> HttpResponse:
    """The rows of a site's grids that changed since its cursor, and our verdicts on what it passed on."""
    at = now()
    site = calling_site(request.headers.get("Authorization", ""), at=at)
    told = news_for(site, _read(request, _Asked).cursor, at=at)
    return HttpResponse(msgspec.json.encode(told), content_type="application/json")


def _read(request: HttpRequest, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(request.body, type=shape)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise Refusal("input_bad") from None
