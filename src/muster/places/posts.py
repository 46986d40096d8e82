# SPDX-License-Identifier: Apache-2.0
"""The post of a worker: fixed grid, fixed person, fixed post, fixed duty, from the moment of joining."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from muster.accounts.models import User
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.packs.schema import Post
from muster.places.models import GridPost
from muster.places.services import bump_revisions
from muster.trail.services import record_event

WORKER = "worker"


def take_worker_posts(
    grids: Sequence[int], *, holder: User, incident: Incident, since: datetime, at: datetime
) -> list[GridPost]:
    """Gives somebody who joins with a code the worker's post, with its duty, on each of these small grids.

    Who holds a post there has one already, and one that was ended after the code was made (`since`) is not
    begun again: asking twice gives one post.
    """
    if not _without_post(grids, holder, since):
        return []
    with transaction.atomic():
        # The grids' rows are taken first: of two answers to one phone the second sees the post of the first.
        bump_revisions(grids)
        words = _words(incident)
        made = [
            GridPost(
                grid_id=grid,
                type=WORKER,
                title=words[0],
                duty=words[1],
                holder=holder.id,
                holder_name=holder.name,
                since=at,
            )
            for grid in _without_post(grids, holder, since)
        ]
        GridPost.objects.bulk_create(made)
        for post in made:
            record_event(
                "GridPost",
                post.id,
                "appoint",
                at=at,
                actor=holder.id,
                incident=incident.id,
                reason="enrolled",
                grid=post.grid_id,
                type=WORKER,
            )
    return made


def _without_post(grids: Sequence[int], holder: User, since: datetime) -> list[int]:
    standing = Q(until__isnull=True) | Q(since__gte=since)
    held = GridPost.objects.filter(standing, grid_id__in=grids, holder=holder.id)
    return sorted(set(grids) - set(held.values_list("grid_id", flat=True)))


def _words(incident: Incident) -> tuple[str, str]:
    """Title and duty in the pack's language; blank where the pack has no such post."""
    pack = pack_of(incident)
    post: Post | None = next((one for one in pack.posts if one.type == WORKER), None)
    if post is None:
        return "", ""
    return (post.name.zh, post.duty.zh) if pack.language == "zh" else (post.name.en, post.duty.en)
