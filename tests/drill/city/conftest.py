# SPDX-License-Identifier: Apache-2.0
"""One Chinese district and one river town for all tests; both are frozen values."""

import pytest

from muster.drill.city import generate
from muster.drill.city.model import City


@pytest.fixture(scope="session")
def district() -> City:
    return generate("epidemic-zh", people=30_000, seed=1)


@pytest.fixture(scope="session")
def town() -> City:
    return generate("flood", people=6_000, seed=2)


@pytest.fixture(scope="session", params=["epidemic-zh", "flood"])
def city(request, district, town) -> City:
    return district if request.param == "epidemic-zh" else town
