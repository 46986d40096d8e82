# SPDX-License-Identifier: Apache-2.0
"""States of reinforcement orders and of the deployments that fill them."""

from django.db import models


class OrderStatus(models.TextChoices):
    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    FILLING = "FILLING"
    ARRIVED = "ARRIVED"
    ENGAGED = "ENGAGED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"


O = OrderStatus  # noqa: E741 -- short, used in the tables below only
ORDER_ENDED = frozenset({O.RETURNED, O.CANCELLED, O.REFUSED})
# Units may still say how many they send.
ORDER_FILLABLE = frozenset({O.APPROVED, O.FILLING, O.ARRIVED, O.ENGAGED})
ORDER_OPEN = frozenset(OrderStatus) - ORDER_ENDED

# Steps that somebody takes; between APPROVED and RETURNED the state follows from the deployments.
ORDER_STEPS: dict[str, frozenset[str]] = {
    O.REQUESTED: frozenset({O.APPROVED, O.REFUSED, O.CANCELLED}),
    O.APPROVED: frozenset({O.CANCELLED}),
    O.FILLING: frozenset({O.CANCELLED}),
    O.ARRIVED: frozenset(),
    O.ENGAGED: frozenset(),
    O.RETURNED: frozenset(),
    O.CANCELLED: frozenset(),
    O.REFUSED: frozenset(),
}


class DeploymentStatus(models.TextChoices):
    """PROMISED: a unit said how many. The rest follows from its counts."""

    PROMISED = "PROMISED"
    ARRIVED = "ARRIVED"
    ENGAGED = "ENGAGED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"


D = DeploymentStatus
DEPLOYMENT_ENDED = frozenset({D.RETURNED, D.CANCELLED})
HERE = frozenset({D.ARRIVED, D.ENGAGED})
