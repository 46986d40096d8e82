# SPDX-License-Identifier: Apache-2.0
"""What does not fit its schema is told field by field, in the reader's language, with what to do."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
from django.test import Client
from pydantic_core.core_schema import ErrorType

from muster.api.wrong_input import SAYS, told
from tests.support.town import make_town

pytestmark = pytest.mark.django_db
BODY = {"text": 5, "dwelling": "x", "grid": "a", "for_relative": "perhaps", "answers": []}


def answered(lang: str, body: str) -> list[dict[str, Any]]:
    headers = {**make_town(doors=1).caller("desk"), "Accept-Language": lang}
    answer = Client().post("/api/v1/requests", body, content_type="application/json", headers=headers)
    assert answer.status_code in {400, 422}
    found: list[dict[str, Any]] = answer.json().get("errors", [])
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_field_has_its_sentence_and_cure_in_one_language(lang: str) -> None:
    errors = answered(lang, json.dumps(BODY))

    assert {one["field"].rsplit(".", 1)[-1] for one in errors} == set(BODY)
    for one in errors:
        assert bool(re.search(r"[\u4e00-\u9fff]", one["message"])) == (lang == "zh")
        assert one["cure"]
        assert "valid" not in one["message"], "the checker's own words are for programmers"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_code_of_the_checker_has_a_sentence(lang: str) -> None:
    for kind in get_args(ErrorType):
        assert told({"type": kind, "loc": ("body", "x")}, lang)["message"]
    assert all(told({"type": begins, "loc": ()}, lang)["cure"] for begins, _ in SAYS)
