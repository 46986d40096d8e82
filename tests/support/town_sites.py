# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about sites that live alone and about facts by file."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from muster.base.ids import new_id
from muster.sync.models import Site
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place


def site_at(world: World, place: Place) -> uuid.UUID:
    site = Site.objects.create(
        id=new_id(), name=f"{place.grid.name}站点", incident=world.incident.id, grids=[place.grid.id],
        sub_districts=[place.street.id], kid="x", certificate=b"", prepared_at=NOON,
        until=NOON + timedelta(days=7),
    )  # fmt: skip
    return site.id


def site_asks(site: uuid.UUID | None) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> method, path, body, whether it lists."""
    api = "/api/v1"
    return {
        "sites_list": ("GET", f"{api}/sites", None, True),
        "sites_revoke": ("POST", f"{api}/sites/{site}/revoke", None, False),
        "facts_carry": ("POST", f"{api}/fact-files", {}, True),
        "facts_carried_verdicts": ("POST", f"{api}/fact-files/verdicts", {"phones": []}, True),
        "sync_carried": ("POST", "/sync/v1/carried", {}, True),
        "site_word": ("POST", "/sync/v1/site/word", {}, True),
        "site_news": ("POST", "/sync/v1/site/news", {}, True),
    }
