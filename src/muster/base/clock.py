# SPDX-License-Identifier: Apache-2.0
"""The one place that asks what time it is. Domain code gets its time passed in (`at`)."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
