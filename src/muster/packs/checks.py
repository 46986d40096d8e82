# SPDX-License-Identifier: Apache-2.0
"""What a pack must hold beyond its shape: codes stand once, names that point at something find it.

A fault is (place in the pack, refusal code, facts); the loader adds the file and raises the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from muster.base.messages import slots
from muster.base.terms import terms
from muster.packs import schema as s
from muster.packs.pack import ADDRESS_FACTS, CERTIFICATE_FACTS, CHAT_FACTS, Pack

Fault = tuple[str, str, dict[str, Any]]
_CODED = (
    "campaign_kinds found_sources services needs affiliations skills strains request_categories"
    " offer_categories kits risk_levels facility_kinds contact_categories movement_kinds id_documents wall"
    " briefing gate_rules order_kinds posts staffing team_kinds team_posts"
)


def faults(pack: Pack) -> Iterator[Fault]:
    """Yield what is wrong with a pack of the right shape, in the order of its tables."""
    yield from _terms(pack)
    yield from _areas(pack.areas)
    yield from _templates("address.parts", pack.address.parts, ADDRESS_FACTS)
    if pack.phones.plan == "international" and not pack.phones.country_code:
        yield "phones", "pack_key_missing", {"key": "country_code"}
    for table in _CODED.split():
        yield from _once(table, [_code(entry) for entry in getattr(pack, table)])
    for unit in ("person", "household", "dwelling"):
        yield from _certificate(f"certificates.{unit}", getattr(pack.certificates, unit))
    if pack.chat:
        yield from _templates("chat", [pack.chat], CHAT_FACTS)
    for kind in pack.campaign_kinds:
        yield from _kind(f"campaign_kinds “{kind.key}”", kind)
    yield from _people(pack)
    for category in pack.request_categories:
        yield from _questions(f"request_categories “{category.code}”", category.questions, known=None)
        for strain in category.strains:
            place = f"request_categories “{category.code}”.strains"
            yield from _known(place, strain, [one.code for one in pack.strains])
    for given in pack.offer_categories:
        where = f"offer_categories “{given.code}”"
        for code in given.helps:
            yield from _known(f"{where}.helps", code, [one.code for one in pack.request_categories])
        for code in given.needs:
            yield from _known(f"{where}.needs", code, [one.code for one in pack.needs])
    yield from _controls(pack)


def _code(entry: Any) -> str:
    return str(next(getattr(entry, name) for name in ("code", "key", "type", "post") if hasattr(entry, name)))


def _once(where: str, codes: Iterable[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            yield where, "pack_code_twice", {"name": code}
        seen.add(code)


def _known(where: str, name: str, known: Iterable[str]) -> Iterator[Fault]:
    allowed = sorted(known)
    if name not in allowed:
        yield where, "pack_reference_unknown", {"name": name, "known": ", ".join(allowed)}


def _terms(pack: Pack) -> Iterator[Fault]:
    for key in pack.terms:
        if key not in terms():
            yield f"terms.{key}", "pack_term_unknown", {"name": key}


def _areas(areas: s.Areas) -> Iterator[Fault]:
    keys = [level.key for level in areas.levels]
    yield from _once("areas.levels", keys)
    for role in ("leaf", "desk", "partition"):
        yield from _known(f"areas.{role}", getattr(areas, role), keys)
    if areas.leaf in keys and areas.leaf != keys[-1]:
        yield "areas.leaf", "pack_leaf_not_last", {"name": areas.leaf, "last": keys[-1]}


def _templates(where: str, texts: Iterable[s.Words], facts: frozenset[str]) -> Iterator[Fault]:
    for text in texts:
        for template in (text.zh, text.en):
            try:
                unknown = slots(template) - facts
            except ValueError:
                yield where, "pack_template_bad", {"text": template}
                continue
            for name in sorted(unknown):
                known = ", ".join(f"{{{fact}}}" for fact in sorted(facts))
                yield where, "pack_slot_unknown", {"name": name, "known": known}


def _certificate(where: str, sentences: Iterable[s.Sentence]) -> Iterator[Fault]:
    for sentence in sentences:
        yield from _templates(where, [sentence], CERTIFICATE_FACTS)
        if sentence.when:
            yield from _known(f"{where}.when", sentence.when, CERTIFICATE_FACTS)


def _kind(where: str, kind: s.CampaignKind) -> Iterator[Fault]:
    codes = [outcome.code for outcome in kind.outcomes]
    yield from _once(f"{where}.outcomes", codes)
    if not any(outcome.cls == "DONE" for outcome in kind.outcomes):
        yield f"{where}.outcomes", "pack_done_missing", {}
    yield from _questions(where, kind.questions, known=codes)
    yield from _once(f"{where}.sources", [source.code for source in kind.sources])
    yield from _certificate(f"{where}.certificate", kind.certificate)
    if kind.chat:
        yield from _templates(f"{where}.chat", [kind.chat], CHAT_FACTS)


def _questions(
    where: str, questions: tuple[s.Question, ...], *, known: Iterable[str] | None
) -> Iterator[Fault]:
    yield from _once(f"{where}.questions", [question.key for question in questions])
    for question in questions:
        place = f"{where}.questions “{question.key}”"
        if (question.type == "choice") != bool(question.options):
            yield place, "pack_options_bad", {}
        yield from _once(f"{place}.options", [option.value for option in question.options])
        for code in question.when:
            yield from _known(f"{place}.when", code, known or ())


def _people(pack: Pack) -> Iterator[Fault]:
    for need in pack.needs:
        services = [service.code for service in pack.services]
        yield from _known(f"needs “{need.code}”.service", need.service, services)
    if not any(post.type == "head" for post in pack.posts):
        yield "posts", "pack_head_missing", {}
    yield from _staffing(pack)


def _staffing(pack: Pack) -> Iterator[Fault]:
    for line in pack.staffing:
        place = f"staffing “{line.post}”"
        yield from _known(f"{place}.post", line.post, [post.type for post in pack.posts])
        for skill in line.skills:
            yield from _known(f"{place}.skills", skill, [one.code for one in pack.skills])
        for need in line.needs:
            yield from _known(f"{place}.needs", need, [one.code for one in pack.needs])
        for strain in line.strains:
            yield from _known(f"{place}.strains", strain, [one.code for one in pack.strains])


def _controls(pack: Pack) -> Iterator[Fault]:
    for table in ("gate_rules", "order_kinds"):
        if getattr(pack, table) and "controls" not in pack.modules:
            yield table, "pack_controls_missing", {}
