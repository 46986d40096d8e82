# SPDX-License-Identifier: Apache-2.0
"""Lists of people who serve: brought in like any list, by the validator of the check-in page.

Who is known is known by his phone or his own number. Nothing personal of him is told to who brings a list.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from muster.base.errors import Refusal
from muster.places.models import Area
from muster.places.queries import small_grid_ids
from muster.register.import_models import ImportBatch
from muster.register.importing.bulk import insert_rows
from muster.register.importing.door_lines import refuse_place
from muster.register.importing.form import ROW_ID
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.importing.setting import Setting
from muster.responders.checking_in import (
    new_responder,
    phone_index,
    set_home,
    set_values,
    values_of,
)
from muster.responders.form import RESPONDERS, check_person
from muster.responders.homes import Home, home_at, home_in, points_of
from muster.responders.models import Responder, Standing
from muster.responders.standing import end_standings, standings
from muster.responders.states import ResponderStatus

_PLACE = ("compound", "street", "building", "unit", "room", "address")


@dataclass(slots=True)
class _Found:
    home: Home
    path: str
    known: Responder | None = None


@dataclass(slots=True)
class _Known:
    """People of the incident by the two ways in which a line can name them."""

    by_phone: dict[bytes, Responder] = field(default_factory=dict)
    by_number: dict[str, Responder] = field(default_factory=dict)


class Responders(Kind):
    form = RESPONDERS
    entity = "responder"
    model = Responder
    needs_incident = True
    fields = (
        "name", "phone", "birth_date", "organisation", "branch", "affiliations", "skills", "certificates",
        "languages", "free_times", "cannot", "limits", "external_id", "home",
    )  # fmt: skip
    columns = (
        "name", "phone", "phone_index", "birth_year", "unit", "branch", "affiliation", "affiliations",
        "skills", "certificates", "languages", "free_times", "cannot", "limits", "external_id",
        "sub_district", "home_area", "home_grid", "lon", "lat", "home_text", "version",
    )  # fmt: skip
    guard = "version"

    # --- understanding ---

    def check(self, row: CheckedRow, setting: Setting) -> None:
        check_person(row, setting)

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        good = [row for row in rows if row.is_good]
        bases = {row.number: row.found for row in good if isinstance(row.found, RowId)}
        self._find_homes(good, job)
        good = [row for row in good if row.is_good]
        known = _known_people(good, job)
        by_id = self.fetch({base.id for base in bases.values()})
        mine = {grid for path in job.reach.paths if path != "/" for grid in small_grid_ids(path)}
        mine |= job.reach.grids
        for row in good:
            base = bases.get(row.number)
            if base is not None and base.id not in by_id:
                row.refuse(ROW_ID, "import_row_gone")
                continue
            one = self._known_one(row, by_id[base.id] if base else None, known)
            if one is None:
                continue
            if not _is_mine(one, mine, job):
                row.refuse("phone", "responder_elsewhere")
                continue
            self._settle(row, one, base, job)

    def _find_homes(self, rows: Sequence[CheckedRow], job: Job) -> None:
        """The house where one fits, else the community that the line names; else the line comes back."""
        houses: dict[int, Any] = {}
        communities: dict[str, Home] = {}
        for row in rows:
            try:
                houses[row.number] = job.places.building_of(row.values)[0]
            except Refusal as refusal:
                self._find_area(row, refusal, communities, job)
        points = points_of({house.id for house in houses.values()})
        for row in rows:
            house = houses.get(row.number)
            if house is not None:
                home = home_at(house, points.get(house.id, (None, None)), text=_written(row.values))
                row.found = _Found(home, house.path)
                row.values["home"] = home.said()

    def _find_area(self, row: CheckedRow, refusal: Refusal, communities: dict[str, Home], job: Job) -> None:
        if "area" not in row.values:
            refuse_place(row, refusal)
            return
        try:
            area = job.places.area(row.values["area"])
        except Refusal as unknown:
            refuse_place(row, unknown)
            return
        if row.values["area"] not in communities:
            communities[row.values["area"]] = home_in(Area.objects.filter(id=area.id).first(), text="")
        home = replace(communities[row.values["area"]], text=_written(row.values))
        row.found = _Found(home, area.path)
        row.values["home"] = home.said()

    def _known_one(self, row: CheckedRow, exported: Responder | None, known: _Known) -> Responder | None:
        index = phone_index(row.values.get("phone"))
        by_phone = known.by_phone.get(index) if index else None
        by_number = known.by_number.get(row.values.get("external_id", ""))
        people = {one.id: one for one in (exported, by_phone, by_number) if one is not None}
        if len(people) > 1:
            row.refuse("phone", "responder_numbers_differ")
            return None
        one = next(iter(people.values()), None)
        if one is not None:
            row.reason = "same_own_number" if by_number else "same_phone"
        return one

    def _settle(self, row: CheckedRow, one: Responder, base: RowId | None, job: Job) -> None:
        found: _Found = row.found
        found.known = one
        live = self.live(one)
        if row.values.get("birth_date", "")[:4] == live["birth_date"]:
            row.values["birth_date"] = live["birth_date"]  # the day itself is not kept
        if found.home.text == (one.home_text or "") and found.home.area in {one.home_area, None}:
            row.values["home"] = live["home"]  # the same words as before move nobody
        self.settle_known(row, one, "row_id" if base else row.reason, job, base=base)

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        if phone := row.values.get("phone"):
            yield "same_phone", phone
        if number := row.values.get("external_id"):
            yield "same_own_number", number

    # --- the known row ---

    def live(self, known: Responder) -> dict[str, str]:
        return {**values_of(known), "home": Home.of_row(known).said()}

    def assign(self, known: Responder, field: str, value: str) -> None:
        if field == "home":
            set_home(known, Home.of_text(value, text=known.home_text or ""))
        else:
            set_values(known, {field: value})

    def fetch(self, ids: Collection[str]) -> dict[str, Responder]:
        rows = Responder.objects.across(reason="import").filter(id__in=list(ids))
        return {str(row.id): row for row in rows} if ids else {}

    # --- writing ---

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        maker = _maker_of(job.batch) if any("vetted" in row.values for row in rows) else None
        new, moved = [], []
        for row in rows:
            found: _Found = row.found
            if row.verdict == Verdict.NEW:
                person = self._new(row, found, maker, job)
                made.add(person, entity="responder", line=row.number)
                new.append(person)
            elif row.verdict == Verdict.CHANGED:
                assert found.known is not None
                self.change(made, row, found.known)
                found.known.version += 1
                if {"home", "affiliations"} & row.here.keys():
                    found.known.home_text = found.home.text
                    moved.append(found.known)
        begun = standings([*new, *moved])
        for one in begun:
            one.since = max(one.since, job.at)
        if begun:
            made.added.setdefault(Standing, []).extend(begun)
        return made

    def _new(self, row: CheckedRow, found: _Found, maker: uuid.UUID | None, job: Job) -> Responder:
        person = new_responder(
            row.values, home=found.home, incident=uuid.UUID(job.purpose), channel="IMPORT", at=job.at
        )
        person.id = imported_id(job.batch, "responder", row.number)
        if row.values.get("vetted") == "yes":
            person.status, person.vetted_at, person.vetted_by = ResponderStatus.VETTED, job.at, maker
        return person

    def add(self, composition: Composition, job: Job, at: datetime) -> None:
        begun: list[Standing] = composition.added.get(Standing, [])
        end_standings([one.responder for one in begun], at=at)
        for rows in composition.added.values():
            insert_rows(rows)

    def referred(self, known: Sequence[Responder], *, batch: uuid.UUID) -> dict[str, str]:
        """Who has done or been anything since stays."""
        moved = set(
            Standing.objects.across(reason="import")
            .filter(responder__in=[row.id for row in known], until__isnull=False)
            .values_list("responder", flat=True)
        )
        stays = {str(row.id): "changed_since" for row in known if row.version > 1 or row.open_jobs}
        return stays | {str(one): "changed_since" for one in moved}

    def forgotten(self, going: Sequence[Responder]) -> None:
        """What hangs on rows that an undo takes away."""
        Standing.objects.across(reason="import").filter(responder__in=[row.id for row in going]).delete()


def _is_mine(one: Responder, mine: Collection[int], job: Job) -> bool:
    """Within the operator's reach, where he lives or where he serves."""
    if "/" in job.reach.paths or one.grid in mine or one.home_grid in mine:
        return True
    named = Area.objects.filter(id=one.home_area or 0).values_list("path", flat=True).first() or ""
    return job.reach.covers(named)


def _maker_of(batch: uuid.UUID) -> uuid.UUID | None:
    """Who brought the list vouches for those whom it calls vetted."""
    return ImportBatch.objects.filter(id=batch).values_list("made_by", flat=True).first()


def _written(values: Mapping[str, str]) -> str:
    """The place as the line says it."""
    return " ".join(values[key] for key in _PLACE if key in values)[:200]


def _known_people(rows: Sequence[CheckedRow], job: Job) -> _Known:
    known = _Known()
    indexes = [index for row in rows if (index := phone_index(row.values.get("phone"))) is not None]
    numbers = [row.values["external_id"] for row in rows if "external_id" in row.values]
    people = Responder.objects.across(reason="import").filter(incident=uuid.UUID(job.purpose))
    for one in people.filter(phone_index__in=indexes) if indexes else ():
        known.by_phone[bytes(one.phone_index)] = one
    for one in people.filter(external_id__in=numbers) if numbers else ():
        # One person is one row, however he was found.
        same = known.by_phone.get(bytes(one.phone_index)) if one.phone_index else None
        known.by_number[one.external_id] = same if same is not None and same.id == one.id else one
    return known
