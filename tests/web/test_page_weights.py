# SPDX-License-Identifier: Apache-2.0
"""What each page brings before its first screen: within its budget, and as the reference says."""

import sys

import pytest

from tests.web.built import REPOSITORY, built

sys.path.insert(0, str(REPOSITORY / "tools"))
from page_weights import Weight, faults, read, weights, written

sys.path.pop(0)


def test_every_page_is_within_its_budget_and_the_reference_is_true():
    for app in ("field", "desk", "command", "welcome"):
        built(app)

    told = read((REPOSITORY / "docs" / "reference" / "page-weights.md").read_text())

    assert {row.name for row in weights()} >= {"field", "desk", "command", "welcome"}
    assert faults(weights(), told) == []


@pytest.mark.parametrize(("kb", "told", "said"), [(201, 201, "are allowed"), (150, 100, "the table says")])
def test_check_sees_what_is_too_heavy_or_no_longer_true(kb, told, said):
    row = Weight("field", kb, 5, 200, "a phone")

    (fault,) = faults([row], {"field": told})

    assert said in fault


def test_table_is_read_as_it_is_written():
    rows = [Weight("field", 143.2, 9, 200, "a phone"), Weight("desk", 480.9, 12, 600, "an office")]

    assert read(written(rows)) == {"field": 143, "desk": 481}
