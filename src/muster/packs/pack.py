# SPDX-License-Identifier: Apache-2.0
"""A pack: the words, levels, forms and rules of one kind of incident, read from TOML and checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from muster.base.messages import fill, slots
from muster.base.terms import term, terms
from muster.packs import schema as s

# Figures that a sentence of a certificate may name, and the facts of a text for the residents' chat.
CERTIFICATE_FACTS = frozenset(
    {
        "grid",
        "round",
        "as_of",
        "phone",
        "roster",
        "done",
        "explained",
        "arranged",
        "unreached",
        "open",
        "found",
    }
    | {"doors", "doors_seen", "doors_vacant", "doors_never"}
)
CHAT_FACTS = frozenset({"building", "unit", "left", "when", "place"})
ADDRESS_FACTS = frozenset({"compound", "house", "building", "unit", "floor", "room"})
_PRECEDENCE = {"DONE": 20}


class Pack(s.Table, frozen=True, kw_only=True):
    """Everything a pack says. Lists keep the order of the file, which is the order on screens."""

    key: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
    name: s.Words
    kind: s.Code
    language: Literal["zh", "en"]
    modules: tuple[Literal["controls"], ...] = ()
    terms: dict[str, s.TermWords] = {}
    areas: s.Areas
    address: s.AddressForm
    phones: s.PhonePlan
    id_documents: tuple[s.IdDocument, ...] = ()
    emergency_numbers: tuple[s.EmergencyNumber, ...] = ()
    campaign_kinds: tuple[s.CampaignKind, ...] = ()
    found_sources: tuple[s.Named, ...] = ()
    certificates: s.Certificates = s.Certificates()
    chat: s.Words | None = None
    services: tuple[s.Service, ...] = ()
    needs: tuple[s.Need, ...] = ()
    posts: tuple[s.Post, ...] = ()
    staffing: tuple[s.Staffing, ...] = ()
    team_kinds: tuple[s.Named, ...] = ()
    team_posts: tuple[s.TeamPost, ...] = ()
    affiliations: tuple[s.Affiliation, ...] = ()
    skills: tuple[s.Named, ...] = ()
    strains: tuple[s.Named, ...] = ()
    request_categories: tuple[s.RequestCategory, ...] = ()
    offer_categories: tuple[s.OfferCategory, ...] = ()
    kits: tuple[s.Kit, ...] = ()
    risk_levels: tuple[s.RiskLevel, ...] = ()
    facility_kinds: tuple[s.FacilityKind, ...] = ()
    contact_categories: tuple[s.Named, ...] = ()
    movement_kinds: tuple[s.Named, ...] = ()
    wall: tuple[s.Figure, ...] = ()
    briefing: tuple[s.Figure, ...] = ()
    retention: s.Retention
    gate_rules: tuple[s.GateRule, ...] = ()
    order_kinds: tuple[s.OrderKind, ...] = ()

    def term(self, key: str, lang: str = "zh") -> str:
        """Return the word for a concept: this pack's own, or the house's."""
        house = terms().get(key)
        own = self.terms.get(key) or (self.terms.get(house.same_as) if house else None)
        if own is None:
            return term(key, lang)
        return own.zh if lang == "zh" else own.en

    @property
    def branch(self) -> s.Words | None:
        """What a sensitive affiliation's members belong to, where this pack asks for it."""
        return next((one.branch for one in self.affiliations if one.branch is not None), None)

    @property
    def asks_sensitive_affiliation(self) -> bool:
        return self.branch is not None

    def campaign_kind(self, key: str) -> s.CampaignKind:
        """Return a kind with everything filled in. Raises LookupError for an unknown key."""
        for kind in self.campaign_kinds:
            if kind.key == key:
                return self._completed(kind)
        raise LookupError(f"the pack {self.key} has no campaign kind {key!r}")

    def campaign_kind_json(self, key: str) -> dict[str, Any]:
        """Return a kind in the form that desks, phones and the database share."""
        return _kind_json(self.campaign_kind(key))

    def need(self, code: str) -> s.Need | None:
        """Return a kind of need, or None for one that this pack does not know."""
        return next((need for need in self.needs if need.code == code), None)

    def services_of(self, needs: list[str]) -> list[str]:
        """Return what the door shows for these needs: codes of services, each once, in the pack's order."""
        wanted = {need.service for code in needs if (need := self.need(code))}
        return [service.code for service in self.services if service.code in wanted]

    def dwelling_label(self, lang: str = "zh", **facts: object) -> str:
        """Return how a door is said. A part of the form whose facts are blank is left out.

        `building` is a number in a compound (3), `house` a building by its own name (柳巷47号, 12 Mill Lane).
        """
        known = {name: str(value) for name, value in facts.items() if value not in (None, "")}
        said = []
        for part in self.address.parts:
            template = part.zh if lang == "zh" else part.en
            if slots(template) <= known.keys():
                said.append(fill(template, known))
        return (self.address.between_zh if lang == "zh" else self.address.between_en).join(said)

    def to_json(self) -> dict[str, Any]:
        """Return the pack as GET /packs/current gives it: plain lists and objects, kinds filled in."""
        answer = _plain(self)
        answer["levels"] = [
            {
                "key": level.key,
                "name": _plain(level.name),
                "leaf": level.key == self.areas.leaf,
                "desk": level.key == self.areas.desk,
                "partition": level.key == self.areas.partition,
            }
            for level in self.areas.levels
        ]
        answer["terms"] = self._own_words()
        answer["campaign_kinds"] = [_kind_json(self._completed(kind)) for kind in self.campaign_kinds]
        for spent in ("areas", "certificates", "found_sources", "chat"):
            del answer[spent]
        return answer

    def _own_words(self) -> dict[str, dict[str, str]]:
        """The words that differ from the house's, also under every other key of the same concept."""
        words: dict[str, dict[str, str]] = {key: _plain(own) for key, own in self.terms.items()}
        for key, house in terms().items():
            if house.same_as in words:
                words.setdefault(key, words[house.same_as])
        return words

    def _completed(self, kind: s.CampaignKind) -> s.CampaignKind:
        outcomes = tuple(
            msgspec.structs.replace(
                outcome,
                precedence=_PRECEDENCE.get(outcome.cls, 10)
                if outcome.precedence is None
                else outcome.precedence,
                key_order=place if outcome.key_order is None else outcome.key_order,
            )
            for place, outcome in enumerate(kind.outcomes, start=1)
        )
        return msgspec.structs.replace(
            kind,
            outcomes=outcomes,
            sources=kind.sources or self.found_sources,
            certificate=kind.certificate or getattr(self.certificates, kind.unit),
            chat=kind.chat or self.chat,
        )


def _kind_json(kind: s.CampaignKind) -> dict[str, Any]:
    answer = _plain(kind)
    for outcome in answer["outcomes"]:
        if outcome["service"] is None:
            del outcome["service"]
    return answer


def _plain(value: s.Table) -> dict[str, Any]:
    """Return objects, lists and texts only, as JSON has them."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return plain
