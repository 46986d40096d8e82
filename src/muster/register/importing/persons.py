# SPDX-License-Identifier: Apache-2.0
"""Lists of persons: checked against themselves, laid over the people who are known, written behind their
doors.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from muster.register.importing import forms
from muster.register.importing.bulk import keys_where_in
from muster.register.importing.crowds import MOST_PAIRS
from muster.register.importing.door_lines import FoundDoor, compose_missing_door, find_doors
from muster.register.importing.form import ROW_ID
from muster.register.importing.households import HouseholdsAtDoors
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.name_keys import name_key
from muster.register.importing.person_matching import LikePersons, contradict, persons_by
from muster.register.importing.referring import referred_persons
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.importing.setting import Setting
from muster.register.models import Person
from muster.register.services import id_number_index, phone_index
from muster.storage.writes import LostRace

_LIKENESSES = ("same_phone", "same_name_same_door")
_TELLING = ("id_number", "phone", "birth_date")


@dataclass(slots=True)
class _Found:
    """What resolving found for a line: its door, the known person if any, and who looks alike but is not
    the same.
    """

    door: FoundDoor
    id_number_index: bytes | None = None
    phone_index: bytes | None = None
    known: Person | None = None
    alike: list[tuple[uuid.UUID, str]] = field(default_factory=list)


class Persons(Kind):
    form = forms.PERSONS
    entity = "person"
    model = Person
    fields = (
        "name",
        "id_number",
        "phone",
        "birth_date",
        "sex",
        "registered_here",
        "lives_here",
        "languages",
        "note",
    )
    columns = (
        "name",
        "phone",
        "id_number",
        "note",
        "phone_index",
        "id_number_index",
        "birth_date",
        "birth_year",
        "sex",
        "languages",
        "registered_here",
        "lives_here",
        "version",
        "rev",
    )
    guard = "version"

    # --- understanding ---

    def check(self, row: CheckedRow, setting: Setting) -> None:
        """A citizen's number says the day of birth and the sex; cells that say otherwise are a mistake in
        one of them.
        """
        number = row.values.get("id_number", "")
        told = _told_by_number(number, setting)
        if told is None:
            return
        born, sex = told
        said = row.values.get("birth_date", "")
        if said and born[: len(said)] != said:
            row.refuse("birth_date", "import_birth_date_differs")
        elif len(said) < len(born):
            row.values["birth_date"] = born
        if row.values.setdefault("sex", sex) != sex:
            row.refuse("sex", "import_sex_differs")

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        doors = find_doors([row for row in rows if row.is_good], job)
        good = [row for row in rows if row.is_good]
        by_row_id = self.fetch({row.found.id for row in good if isinstance(row.found, RowId)})
        behind = {doors[row.number].place.id for row in good}
        alike = LikePersons.load([row.values for row in good], behind, job.crowds)
        for row in good:
            base = row.found if isinstance(row.found, RowId) else None
            numbers = alike.id_number_index(row.values), alike.phone_index(row.values)
            row.found = _Found(doors[row.number], *numbers)
            if base is not None:
                self._settle_exported(row, by_row_id.get(base.id), base, job)
            else:
                self._settle_alike(row, alike, job)

    def _settle_exported(self, row: CheckedRow, person: Person | None, base: RowId, job: Job) -> None:
        if person is None or not self._is_mine(person, job):
            row.refuse(ROW_ID, "import_row_gone")
            return
        self._settle_person(row, person, "row_id", job, base)

    def _settle_alike(self, row: CheckedRow, alike: LikePersons, job: Job) -> None:
        found: _Found = row.found
        wanted = name_key(row.values["name"])
        same: list[tuple[Person, str]] = []
        for one in alike.of(row.values, found.door.place.id):
            is_number = one.reason == "same_id_number"
            apart = not self._is_mine(one.person, job) or _two_homes(row, one.person, found.door)
            if apart or (not is_number and contradict(row.values, self.live(one.person))):
                found.alike.append((one.person.id, one.reason))
            elif is_number and alike.name(one.person) != wanted:
                row.refuse("id_number", "import_id_number_of_another")
            else:
                same.append((one.person, one.reason))
        if row.is_good and not same and found.alike:
            self._tell_alike(row, alike, job)
        if not row.is_good or not same:
            return
        if len({person.id for person, _ in same}) > 1 and same[0][1] != "same_id_number":
            row.refuse("name", "import_person_ambiguous", count=len(same))
            return
        self._settle_person(row, same[0][0], same[0][1], job, None)

    def _tell_alike(self, row: CheckedRow, alike: LikePersons, job: Job) -> None:
        """Somebody new, much like somebody known: said, and for a person to judge. Others' people stay
        unseen.
        """
        first = alike.of(row.values, row.found.door.place.id)[0]
        row.reason = first.reason
        if self._is_mine(first.person, job):
            row.match, live = str(first.person.id), self.live(first.person)
            row.here = {
                each: live[each]
                for each in self.fields
                if live[each] and row.values.get(each, live[each]) != live[each]
            }

    def _settle_person(
        self, row: CheckedRow, person: Person, reason: str, job: Job, base: RowId | None
    ) -> None:
        found: _Found = row.found
        row.match, row.reason, found.known = str(person.id), reason, person
        if person.left_at is not None:
            row.refuse("name", "import_person_left")
        elif person.dwelling_id != found.door.place.id:
            row.refuse("room" if "room" in row.values else "address", "import_person_elsewhere")
        else:
            live_birth = self.live(person)["birth_date"]
            if live_birth.startswith(row.values.get("birth_date", "-")):
                row.values["birth_date"] = live_birth  # the year alone takes nothing away from a known day
            self.settle_known(row, person, reason, job, base=base)
            if (
                row.verdict == Verdict.SAME
                and reason in _LIKENESSES
                and not _tells_all(row, self.live(person))
            ):
                row.verdict = Verdict.DUPLICATE

    def _is_mine(self, person: Person, job: Job) -> bool:
        return job.reach.covers(person.area_path, person.grid)  # type: ignore[attr-defined]

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        found: _Found = row.found
        name = name_key(row.values["name"])
        if row.row_id:
            yield "row_id", row.match
        if number := row.values.get("id_number"):
            yield "same_id_number", number
        if phone := row.values.get("phone"):
            yield "same_phone", (phone, name)
        yield "same_name_same_door", (found.door.key, name)

    def remembered(self, row: CheckedRow) -> tuple[Any, ...]:
        kept = {
            each: row.values[each] for each in ("id_number", "birth_date", "lives_here") if each in row.values
        }
        return row.number, row.found.door.key, kept

    def are_two(self, first: Any, row: CheckedRow, reason: str) -> bool:
        """Two descriptions that contradict each other, or one person's registered and actual home."""
        _, door, kept = first
        if reason == "row_id":
            return False
        homes = {kept.get("lives_here", "yes"), row.values.get("lives_here", "yes")}
        if door != row.found.door.key and homes == {"yes", "no"}:
            return True
        return reason != "same_id_number" and contradict(row.values, kept)

    # --- the known row ---

    def live(self, known: Person) -> dict[str, str]:
        born = known.birth_date.isoformat() if known.birth_date else str(known.birth_year or "")
        return {
            "name": known.name or "",
            "id_number": known.id_number or "",
            "phone": known.phone or "",
            "birth_date": born,
            "sex": known.sex,
            "registered_here": "yes" if known.registered_here else "no",
            "lives_here": "yes" if known.lives_here else "no",
            "languages": ",".join(known.languages),
            "note": known.note or "",
        }

    def assign(self, known: Person, field: str, value: str) -> None:
        match field:
            case "phone":
                known.phone, known.phone_index = value or None, phone_index(value)
            case "id_number":
                known.id_number, known.id_number_index = value or None, id_number_index(value)
            case "birth_date":
                known.birth_date = date.fromisoformat(value) if len(value) == 10 else None
                known.birth_year = int(value[:4]) if value else None
            case "registered_here" | "lives_here":
                setattr(known, field, value == "yes")
            case "languages":
                known.languages = [code for code in value.split(",") if code]
            case _:
                setattr(known, field, value or ("" if field == "sex" else None))

    def fetch(self, ids: Collection[str]) -> dict[str, Person]:
        return {str(person.id): person for person in persons_by("id", ids)}

    # --- writing ---

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        earlier: dict[tuple[str, Hashable], uuid.UUID] = {}
        homes = HouseholdsAtDoors(row.found.door.place.id for row in rows)
        for row in rows:
            found: _Found = row.found
            if row.verdict == Verdict.NEW:
                compose_missing_door(made, row, found.door, job)
                person = self._new(row, job)
                person.household_id = homes.home(made, row, found.door, row.values.get("household", ""), job)
                made.add(person, entity="person", line=row.number)
                made.pairs += [(person, other, reason) for other, reason in found.alike[:MOST_PAIRS]]
                self._pair_with_earlier(made, row, person, earlier, job)
            elif row.verdict == Verdict.CHANGED:
                assert found.known is not None
                self.change(made, row, found.known)
                found.known.version += 1
        return made

    def _pair_with_earlier(
        self,
        made: Composition,
        row: CheckedRow,
        person: Person,
        earlier: dict[tuple[str, Hashable], uuid.UUID],
        job: Job,
    ) -> None:
        """Two lines of one chunk, much alike and yet two: the register does not have the first one yet."""
        for key in self.same_keys(row, job):
            other = earlier.setdefault(key, person.id)
            if other != person.id and not any(one is person and who == other for one, who, _ in made.pairs):
                made.pairs.append((person, other, key[0]))
                row.reason = row.reason or key[0]

    def _new(self, row: CheckedRow, job: Job) -> Person:
        found: _Found = row.found
        place = found.door.place
        person = Person(
            id=imported_id(job.batch, "person", row.number),
            sub_district=place.sub_district,
            grid=place.grid,
            dwelling_id=place.id,
            purpose=job.purpose,
            source="import",
            id_number=row.values.get("id_number"),
            id_number_index=found.id_number_index,
            phone=row.values.get("phone"),
            phone_index=found.phone_index,
        )
        for each in self.fields:
            if each in row.values and each not in ("id_number", "phone"):
                self.assign(person, each, row.values[each])
        return person

    def add(self, composition: Composition, job: Job, at: datetime) -> None:
        """Look once more, now that nobody else writes: two desks may bring the same list in one moment."""
        new: list[Person] = composition.added.get(Person, [])
        alike = {other for _, other, _ in composition.pairs}
        numbers = [bytes(person.id_number_index) for person in new if person.id_number_index]
        if set(keys_where_in(Person, "id_number_index", numbers)) - alike:
            raise LostRace("Person")
        super().add(composition, job, at)

    def referred(self, known: Sequence[Person], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_persons(known, batch=batch)


def _tells_all(row: CheckedRow, live: Mapping[str, str]) -> bool:
    """Whether a line that only looks like somebody names everything by which the register tells people apart:
    then it is the line that came in before, else it may be another.
    """
    return all(each in row.values for each in _TELLING if live[each])


def _told_by_number(number: str, setting: Setting) -> tuple[str, str] | None:
    """Day of birth and sex as a citizen's number says them; None for other documents."""
    if len(number) != 18 or not number[:17].isdigit():
        return None
    if not any(document.validator == "gb11643" for document in setting.pack.id_documents):
        return None
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return born, "M" if int(number[16]) % 2 else "F"


def _two_homes(row: CheckedRow, person: Person, door: FoundDoor) -> bool:
    """Registered at one door and living behind another: two lines of the register, each true."""
    lives_here = row.values.get("lives_here", "yes") == "yes"
    return person.dwelling_id != door.place.id and lives_here != person.lives_here
