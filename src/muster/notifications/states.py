# SPDX-License-Identifier: Apache-2.0
"""States of a message on its way out, how urgent it is, and by which way it goes."""

from django.db import models


class Delivery(models.TextChoices):
    """QUEUED → SENT → ACK, or FAILED with the reason. MERGED: told in another message of the same reader."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    ACK = "ACK"
    FAILED = "FAILED"
    MERGED = "MERGED"


class Priority(models.IntegerChoices):
    """A life comes first: no quiet hours, no cap. Rest is respected all the same: somebody else is asked.

    MANY: told to a whole city at once; whatever else there is to say goes before it.
    """

    LIFE = 0, "LIFE"
    URGENT = 1, "URGENT"
    NORMAL = 2, "NORMAL"
    MANY = 3, "MANY"


class Way(models.TextChoices):
    """APP: read on our own pages. SMS: to one phone. CHANNEL: to a group, a mailbox, another system."""

    APP = "APP"
    SMS = "SMS"
    CHANNEL = "CHANNEL"


class ChannelKind(models.TextChoices):
    WECOM = "WECOM"
    DINGTALK = "DINGTALK"
    FEISHU = "FEISHU"
    EMAIL = "EMAIL"
    WEBHOOK = "WEBHOOK"


class Fault(models.TextChoices):
    """Why a message did not go out; no address, no answer of the other side is kept."""

    NONE = ""
    EXPIRED = "EXPIRED"
    OFF_DUTY = "OFF_DUTY"
    UNREACHABLE = "UNREACHABLE"
    REFUSED = "REFUSED"
    CHANNEL_CLOSED = "CHANNEL_CLOSED"
