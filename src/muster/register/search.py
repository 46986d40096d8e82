# SPDX-License-Identifier: Apache-2.0
"""Finding somebody by part of a name, by phone or by document number, within the caller's scope.

Phone and document are found through blind indexes; part of a name is found by opening the names of the scope,
which is why the scope is bounded.
"""

from __future__ import annotations

import uuid

from muster.base.errors import Refusal
from muster.register.models import Person
from muster.register.names import name_key, search_keys
from muster.register.services import id_number_index, phone_index
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column

MOST_NAMES = 300_000


def find_persons(said: str, *, scope: Scope, grid: int | None = None, limit: int = 500) -> list[uuid.UUID]:
    """Ids of persons within the scope that match; at most `limit`.

    Raises:
        Refusal: "search_too_wide" when more names would have to be opened than is reasonable.
    """
    said = said.strip()
    rows = Person.objects.within(scope).filter(left_at__isnull=True)
    if grid is not None:
        rows = rows.filter(grid=grid)
    digits = "".join(c for c in said if c.isalnum())
    if digits.isdigit() and len(digits) >= 7:
        found = rows.filter(phone_index=phone_index(digits)) | rows.filter(
            id_number_index=id_number_index(digits)
        )
        return list(found.values_list("id", flat=True)[:limit])
    if len(digits) == 18 and digits[:17].isdigit():
        return list(rows.filter(id_number_index=id_number_index(digits)).values_list("id", flat=True)[:limit])
    if rows.count() > MOST_NAMES:
        raise Refusal("search_too_wide")
    pairs = list(rows.values_list("id", "name"))
    names = reveal_column(Person, "name", pairs)
    wanted = (name_key(said) or "").lower()
    ascii_only = said.isascii()
    matches = [
        pair[0]
        for pair, name in zip(pairs, names, strict=True)
        if name and _matches(name, wanted, ascii_only=ascii_only)
    ]
    return matches[:limit]


def _matches(name: str, wanted: str, *, ascii_only: bool) -> bool:
    key = (name_key(name) or "").lower()
    if wanted and wanted in key:
        return True
    return ascii_only and any(spelled.startswith(wanted) for spelled in search_keys(name))
