# SPDX-License-Identifier: Apache-2.0
"""Lists of people who serve, taken out within the operator's reach; sensitive affiliations stay inside."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.models import Area, Grid
from muster.places.queries import small_grids_below
from muster.register.exporting.filters import Filters
from muster.register.exporting.lists import ListedRow, Words, masked
from muster.register.importing.operators import Operator
from muster.responders.checking_in import values_of
from muster.responders.homes import Home
from muster.responders.models import Responder
from muster.responders.sight import found_by
from muster.responders.states import ResponderStatus

_AT_ONCE = 1_000
_GONE = (ResponderStatus.RELEASED, ResponderStatus.DECLINED)


def list_responders(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    """Everybody of the incident in force who has not gone home. Raises Refusal no_incident."""
    from muster.base.clock import now

    incident = current_incident(now())
    if incident is None:
        raise Refusal("no_incident")
    rows: QuerySet[Responder] = Responder.objects.across(reason="export").filter(
        _condition(filters, operator), incident=incident.id
    )
    rows = rows.exclude(status__in=_GONE)
    if filters.q.strip():
        rows = found_by(rows, filters.q.strip())
    words, sensitive = Words.load(), _sensitive(incident)
    areas = dict(Grid.objects.values_list("id", "area_id"))
    for row in rows.order_by("id").iterator(chunk_size=_AT_ONCE):
        values = {**values_of(row), "home": Home.of_row(row).said()}
        values["area"] = words.names.get(areas.get(row.home_grid or 0) or row.home_area or 0, "")
        values["address"] = row.home_text or ""
        values["vetted"] = "yes" if row.vetted_at else "no"
        if not operator.full:
            said = [code for code in values["affiliations"].split(",") if code not in sensitive]
            values = {
                **masked(values),
                "branch": "",
                "limits": "",
                "cannot": "",
                "address": "",
                "affiliations": ",".join(said),
            }
        yield ListedRow(str(row.id), values, row.grid or row.home_grid)


def _sensitive(incident: Incident) -> set[str]:
    return {one.code for one in pack_of(incident).affiliations if one.sensitive}


def _condition(filters: Filters, operator: Operator) -> Q:
    condition = Q()
    if "/" not in operator.reach.paths:
        mine = Q(pk__in=[])
        for path in operator.reach.paths:
            mine |= _below(path)
        condition &= mine | Q(grid__in=operator.reach.grids) | Q(home_grid__in=operator.reach.grids)
    if filters.area is not None:
        area = Area.objects.filter(id=filters.area).first()
        if area is None:
            raise Refusal("not_found")
        condition &= _below(area.path)
    if filters.grid is not None:
        grid = Grid.objects.filter(id=filters.grid).first()
        if grid is None:
            raise Refusal("not_found")
        small = small_grids_below(grid)
        condition &= Q(grid__in=small) | Q(home_grid__in=small)
    return condition


def _below(path: str) -> Q:
    areas = Area.objects.filter(path__startswith=path).values("id")
    grids = Grid.objects.filter(area__in=areas).values("id")
    return Q(grid__in=grids) | Q(home_grid__in=grids) | Q(home_grid__isnull=True, home_area__in=areas)
