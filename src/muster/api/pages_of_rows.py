# SPDX-License-Identifier: Apache-2.0
"""Keyset paging by id: a page of rows and where the next one begins."""

from __future__ import annotations

import uuid
from typing import Any

from muster.base.errors import Refusal

MOST = 500


def page_of(rows: Any, cursor: str, limit: int) -> tuple[list[Any], str | None]:
    """Raises Refusal("cursor_bad")."""
    limit = max(1, min(limit, MOST))
    if cursor:
        try:
            rows = rows.filter(id__gt=uuid.UUID(cursor))
        except ValueError as error:
            raise Refusal("cursor_bad") from error
    page = list(rows[: limit + 1])
    return page[:limit], str(page[limit - 1].id) if len(page) > limit else None
