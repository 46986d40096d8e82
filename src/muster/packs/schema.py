# SPDX-License-Identifier: Apache-2.0
"""What a pack may say: one struct for each table of its TOML files. Unknown keys are refused.

A text is always `{ zh = "…", en = "…" }`. A code is a short word of letters, figures and underscores.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Days = Annotated[int, Meta(ge=1, le=36500)]
Minutes = Annotated[int, Meta(ge=1, le=100_000)]
Unit = Literal["person", "household", "dwelling"]
EntryClass = Literal["OPEN", "DONE", "ARRANGED", "EXPLAINED", "UNREACHED"]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all: read-only, strict."""


class Words(Table, frozen=True):
    """A text in both languages."""

    zh: Text
    en: Text


class TermWords(Words, frozen=True):
    """How this pack says a concept of base/terms.toml."""

    en_many: str = ""


class Named(Table, frozen=True):
    """Anything with a code and a name."""

    code: Code
    name: Words


# ---- places, documents, numbers -------------------------------------------------------------------


class Level(Table, frozen=True):
    """One level of the area tree."""

    key: Code
    name: Words


class Areas(Table, frozen=True):
    """The area tree from the top down; which level is the leaf, has a desk, keeps personal rows apart."""

    levels: Annotated[tuple[Level, ...], Meta(min_length=1, max_length=12)]
    leaf: Code
    desk: Code
    partition: Code


class AddressForm(Table, frozen=True):
    """How a door is read (`form`) and said (`parts`, in order; a part without its facts is left out)."""

    form: Literal["cn", "street"]
    parts: Annotated[tuple[Words, ...], Meta(min_length=1, max_length=8)]
    between_zh: str = ""
    between_en: str = ", "


class PhonePlan(Table, frozen=True):
    """How phone numbers are written here; see register.phones."""

    plan: Literal["cn", "international"] = "cn"
    country_code: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,2}$|^$")] = ""
    trunk: Annotated[str, Meta(pattern=r"^[0-9]{0,2}$")] = ""


class IdDocument(Named, frozen=True):
    """An identity document that may be recorded, and the check of its number."""

    validator: Literal["gb11643", "hk_macao_permit", "taiwan_permit", "passport", "plain"]


class EmergencyNumber(Table, frozen=True):
    """A number to call when life or safety is at stake."""

    number: Annotated[str, Meta(pattern=r"^[0-9]{2,15}$")]
    name: Words


# ---- campaigns ------------------------------------------------------------------------------------


class Outcome(Table, frozen=True, kw_only=True, rename={"cls": "class"}):
    """One answer at the door, in one of the five classes that the code knows."""

    code: Code
    name: Words
    cls: EntryClass
    met: bool = False
    door: Literal["SEEN", "VACANT", "NO_ANSWER", "REFUSED"] | None = None
    evidence: Literal["none", "note", "proof", "second_visit"] = "none"
    precedence: Annotated[int, Meta(ge=0, le=1000)] | None = None
    key_order: Annotated[int, Meta(ge=0, le=100)] | None = None
    service: Words | None = None


class Option(Table, frozen=True):
    """One choice of a question."""

    value: Code
    name: Words


class Question(Table, frozen=True):
    """Something asked with an outcome; `when` names the outcomes, none means all."""

    key: Code
    name: Words
    type: Literal["bool", "choice", "number", "text"]
    options: Annotated[tuple[Option, ...], Meta(max_length=60)] = ()
    required: bool = False
    when: tuple[Code, ...] = ()


class Sentence(Words, frozen=True):
    """A sentence of a certificate, said unless the figure named by `when` is zero or empty."""

    when: str = ""


class CampaignKind(Table, frozen=True, kw_only=True):
    """What a round asks at each unit. Sources, certificate and chat default to the pack's own."""

    key: Code
    name: Words
    unit: Unit
    version: Annotated[int, Meta(ge=1)] = 1
    outcomes: Annotated[tuple[Outcome, ...], Meta(min_length=1, max_length=40)]
    questions: Annotated[tuple[Question, ...], Meta(max_length=60)] = ()
    sources: tuple[Named, ...] = ()
    certificate: tuple[Sentence, ...] = ()
    chat: Words | None = None


class Certificates(Table, frozen=True):
    """The certificate of each unit, for kinds that bring none of their own."""

    person: tuple[Sentence, ...] = ()
    household: tuple[Sentence, ...] = ()
    dwelling: tuple[Sentence, ...] = ()


# ---- people and needs -----------------------------------------------------------------------------


class Service(Named, frozen=True):
    """What to do at the door. It is all that the door shows of a need."""

    icon: Code


class CareRhythm(Table, frozen=True):
    """Care that somebody goes out for again and again: how often, when, how long, how far ahead booked."""

    every_days: Annotated[int, Meta(ge=1, le=366)]
    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    stay_minutes: Annotated[int, Meta(ge=0, le=1440)] = 120
    lead_hours: Annotated[int, Meta(ge=1, le=336)] = 48


class Need(Named, frozen=True):
    """Why somebody may need help; only its `service` is shown at the door. `care`: trips that come again."""

    service: Code
    sensitivity: Annotated[int, Meta(ge=1, le=3)]
    cadence_days: Days
    care: CareRhythm | None = None


class Post(Table, frozen=True):
    """A post of a grid, with the duty that stands in it until somebody writes a better one."""

    type: Code
    name: Words
    duty: Words


class Staffing(Table, frozen=True, kw_only=True):
    """How many people of a post a small grid needs: by doors, by people in need, within least and most.

    `skills`: any one of them will do; none means that anybody can. `needs` none means all kinds of need.
    `spare`: how many more could be of use. `strains`: what it asks of a body; who said that he cannot do one
    of them is not put there.
    """

    post: Code
    skills: tuple[Code, ...] = ()
    doors_each: Annotated[int, Meta(ge=0, le=100_000)] = 0
    in_need_each: Annotated[int, Meta(ge=0, le=100_000)] = 0
    needs: tuple[Code, ...] = ()
    least: Annotated[int, Meta(ge=0, le=1000)] = 0
    most: Annotated[int, Meta(ge=1, le=1000)] = 100
    spare: Annotated[int, Meta(ge=0, le=1000)] = 0
    strains: tuple[Code, ...] = ()


class TeamPost(Named, frozen=True):
    """A post or a zone of a team, which somebody holds by name."""

    kind: Literal["post", "zone"]
    duty: Words


class Affiliation(Named, frozen=True):
    """Who somebody is when they serve. A sensitive one is never a must, and asked for only where `branch`
    says what its members belong to.
    """

    sensitive: bool = False
    branch: Words | None = None


# ---- requests, supplies, places to go -------------------------------------------------------------


class Clock(Table, frozen=True):
    """How long until somebody answers, and until it is done."""

    respond_minutes: Minutes
    finish_minutes: Minutes


class RequestCategory(Named, frozen=True):
    """A kind of request: its urgency, clock, who gets it first, and what is asked.

    pictures_for_runner: what comes with it (a prescription) only its runner sees, until hand-over.
    strains: what doing it asks of a body.
    """

    urgency: Literal["life", "urgent", "normal"]
    clock: Clock
    route: Literal["grid", "desk", "partition", "command"]
    questions: Annotated[tuple[Question, ...], Meta(max_length=10)] = ()
    pictures_for_runner: bool = False
    strains: tuple[Code, ...] = ()


class OfferCategory(Named, frozen=True):
    """Something that people give or lend; `helps` and `needs`: the requests and needs that it is for."""

    unit: Words
    helps: tuple[Code, ...] = ()
    needs: tuple[Code, ...] = ()
    is_lent: bool = False
    is_place: bool = False
    meets_people: bool = False
    only_noted: bool = False


class KitLine(Table, frozen=True):
    """How many of what."""

    item: Words
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    unit: Words


class Kit(Named, frozen=True):
    """A bill of materials for one household."""

    lines: Annotated[tuple[KitLine, ...], Meta(min_length=1, max_length=60)]


class RiskLevel(Named, frozen=True):
    """A level of risk of an area; the higher rank is the worse."""

    rank: Annotated[int, Meta(ge=0, le=20)]


class FacilityKind(Named, frozen=True):
    """A kind of place to go; `has_beds` where people stay the night."""

    has_beds: bool = False


class Figure(Table, frozen=True):
    """A figure of the wall or the briefing: a key that the situation room knows, in this pack's words."""

    key: Literal[
        "missing",
        "never_reached",
        "stale_grids",
        "found",
        "arranged",
        "open_requests",
        "vacant_posts",
        "moves_under_way",
        "supply_days",
        "responders_on_duty",
        "households_helped",
        "cases_confirmed",
        "cases_asymptomatic",
    ]
    name: Words


class Retention(Table, frozen=True):
    """For how many days each kind of personal data is kept after its end."""

    persons: Days
    needs: Days
    entries: Days
    requests: Days
    gate_events: Days
    staff_positions: Days
    audit: Days


# ---- the optional group "controls" ----------------------------------------------------------------


class GateRule(Named, frozen=True):
    """What a gate asks for. Leaving for safety or care, and going home, no rule can ask about."""

    asks: tuple[Literal["pass", "test_window"], ...]
    notice: Words


class OrderKind(Named, frozen=True):
    """An order that restricts somebody: always a legal basis, two persons and a hard end."""

    max_days: Annotated[int, Meta(ge=1, le=30)]
    notice: Words
    appeal: Words
