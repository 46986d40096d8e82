# SPDX-License-Identifier: Apache-2.0
"""States of the people who serve, and which change may follow which."""

from django.db import models


class ResponderStatus(models.TextChoices):
    REGISTERED = "REGISTERED"
    VETTED = "VETTED"
    ASSIGNED = "ASSIGNED"
    ON_DUTY = "ON_DUTY"
    STANDBY = "STANDBY"
    RESTING = "RESTING"
    ISOLATED = "ISOLATED"
    UNAVAILABLE = "UNAVAILABLE"
    RELEASED = "RELEASED"
    DECLINED = "DECLINED"


R = ResponderStatus

# Who may be asked to go somewhere now.
CAN_BE_ASKED = frozenset({R.ASSIGNED, R.ON_DUTY, R.STANDBY})
# What somebody reaches only after a desk has said yes to him.
NEEDS_VETTING = frozenset({R.VETTED, R.ASSIGNED, R.ON_DUTY, R.STANDBY, R.RESTING})
# Who has a place: what is counted as serving.
SERVING = frozenset({R.ASSIGNED, R.ON_DUTY, R.STANDBY, R.RESTING})

TRANSITIONS: dict[str, frozenset[str]] = {
    R.REGISTERED: frozenset({R.VETTED, R.DECLINED, R.UNAVAILABLE, R.RELEASED}),
    R.VETTED: frozenset({R.ASSIGNED, R.UNAVAILABLE, R.ISOLATED, R.RELEASED, R.DECLINED}),
    R.ASSIGNED: frozenset(
        {R.ASSIGNED, R.ON_DUTY, R.STANDBY, R.RESTING, R.ISOLATED, R.UNAVAILABLE, R.RELEASED, R.VETTED}
    ),
    R.ON_DUTY: frozenset({R.STANDBY, R.RESTING, R.ISOLATED, R.UNAVAILABLE, R.RELEASED, R.ASSIGNED}),
    R.STANDBY: frozenset({R.ON_DUTY, R.RESTING, R.ISOLATED, R.UNAVAILABLE, R.RELEASED, R.ASSIGNED}),
    R.RESTING: frozenset({R.ON_DUTY, R.STANDBY, R.ISOLATED, R.UNAVAILABLE, R.RELEASED, R.ASSIGNED}),
    R.ISOLATED: frozenset({R.VETTED, R.STANDBY, R.RELEASED}),
    R.UNAVAILABLE: frozenset({R.VETTED, R.STANDBY, R.RELEASED}),
    R.RELEASED: frozenset({R.VETTED}),
    R.DECLINED: frozenset({R.VETTED}),
}
