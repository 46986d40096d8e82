# SPDX-License-Identifier: Apache-2.0
"""The shape of a campaign kind: what is asked at each unit, which answers there are, and what a certificate
says.

The same shape comes from a pack, is made at a desk, is sent to phones and is read by `rules`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from muster.base.errors import Refusal

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_]+$")]


class Words(msgspec.Struct):
    """A text in both languages."""

    zh: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    en: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Outcome(msgspec.Struct, rename={"cls": "class"}):
    code: Code
    name: Words
    cls: Literal["OPEN", "DONE", "ARRANGED", "EXPLAINED", "UNREACHED"]
    met: bool = False
    door: Literal["SEEN", "VACANT", "NO_ANSWER", "REFUSED"] | None = None
    evidence: Literal["none", "note", "proof", "second_visit"] = "none"
    precedence: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10
    service: Words | None = None


class Option(msgspec.Struct):
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    name: Words


class Question(msgspec.Struct):
    key: Code
    name: Words
    type: Literal["bool", "choice", "number", "text"]
    options: list[Option] = []
    required: bool = False
    when: list[Code] = []


class Source(msgspec.Struct):
    code: Code
    name: Words


class CertificateLine(msgspec.Struct):
    """A sentence of the certificate; `when` names the figure that must not be zero for it to be said."""

    zh: str
    en: str
    when: str = ""


class Definition(msgspec.Struct):
    name: Words
    unit: Literal["person", "household", "dwelling"]
    outcomes: Annotated[list[Outcome], msgspec.Meta(min_length=1, max_length=40)]
    questions: Annotated[list[Question], msgspec.Meta(max_length=60)] = []
    sources: list[Source] = []
    certificate: list[CertificateLine] = []
    chat: Words | None = None


def check_definition(definition: dict[str, Any]) -> Definition:
    """Reads a definition and refuses what could not be worked with at a door.

    Raises:
        Refusal: "kind_bad" (where, why), "kind_without_done", "kind_outcome_twice", "kind_question_when".
    """
    try:
        read = msgspec.convert(definition, Definition)
    except msgspec.ValidationError as error:
        raise Refusal("kind_bad", why=str(error)) from error
    codes = [outcome.code for outcome in read.outcomes]
    if len(set(codes)) != len(codes):
        raise Refusal("kind_outcome_twice", code=next(c for c in codes if codes.count(c) > 1))
    if not any(outcome.cls == "DONE" for outcome in read.outcomes):
        raise Refusal("kind_without_done")
    for question in read.questions:
        unknown = [code for code in question.when if code not in codes]
        if unknown:
            raise Refusal("kind_question_when", question=question.key, code=unknown[0])
        if question.type == "choice" and not question.options:
            raise Refusal("kind_question_options", question=question.key)
    return read
