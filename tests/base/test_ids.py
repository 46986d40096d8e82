# SPDX-License-Identifier: Apache-2.0
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from muster.base import clock
from muster.base.errors import Refusal
from muster.base.ids import id_time, new_id


def test_new_id_is_a_standard_uuid_of_version_seven():
    made = new_id()

    assert type(made) is uuid.UUID
    assert made.version == 7
    assert made.variant == uuid.RFC_4122


def test_new_ids_are_unique_and_in_order_within_a_process():
    made = [new_id() for _ in range(5000)]

    assert len(set(made)) == 5000
    assert made == sorted(made)


def test_id_time_is_the_moment_of_making():
    before = clock.now() - timedelta(milliseconds=1)
    told = id_time(new_id())

    assert before <= told <= clock.now()
    assert told.tzinfo is UTC


def test_id_time_reads_the_example_of_the_standard():
    example = uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")

    assert id_time(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "other", [uuid.uuid4(), uuid.UUID(int=0), uuid.UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")]
)
def test_id_time_refuses_ids_that_carry_none(other):
    with pytest.raises(Refusal) as refused:
        id_time(other)

    assert refused.value.code == "id_without_time"
