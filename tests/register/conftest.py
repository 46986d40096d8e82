# SPDX-License-Identifier: Apache-2.0
"""The made-up place, built once for a module and rolled back at its end; each test changes its own copy."""

import copy

import pytest
from django.db import transaction

from tests.support.world import make_world


@pytest.fixture(scope="module")
def place(django_db_setup, django_db_blocker):
    """The place as it is before any test of the module."""
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole.__enter__()
        try:
            yield make_world(frozen=False)
        finally:
            transaction.set_rollback(True)
            whole.__exit__(None, None, None)


@pytest.fixture
def world(place, db):
    return copy.deepcopy(place)
