# SPDX-License-Identifier: Apache-2.0
"""The reference of lists names every column that a form has, and no other."""

import re

import pytest

from muster.register.importing.form import ROW_ID_COLUMN
from muster.register.importing.forms import FORMS
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "import.md").read_text(encoding="utf-8")


def named(kind: str) -> str:
    """What the page says of a kind: the sections whose heading names it."""
    sections = re.split(r"^### ", PAGE, flags=re.M)[1:]
    own = [one.split("\n## ")[0] for one in sections if f"`{kind}`" in one.splitlines()[0]]
    return "\n".join(own)


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_every_column_has_its_row(kind):
    said = named(kind)
    lacking = [
        column.zh
        for column in FORMS[kind].columns
        if not re.search(rf"{re.escape(column.zh)}\*? {re.escape(column.en)}\b", said)
    ]

    assert lacking == []


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_required_columns_are_marked(kind):
    said = named(kind)

    for column in FORMS[kind].columns:
        starred = f"{column.zh}* {column.en}" in said
        assert starred == column.required, (kind, column.zh)


def test_row_id_is_explained():
    assert "hidden column" in PAGE
    assert not any(ROW_ID_COLUMN.key in form.by_key for form in FORMS.values())
