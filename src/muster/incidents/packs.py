# SPDX-License-Identifier: Apache-2.0
"""The pack of an incident."""

from django.conf import settings

from muster.incidents.models import Incident
from muster.packs import Pack, load


def pack_of(incident: Incident) -> Pack:
    return load(incident.pack, data_dir=settings.ENVIRONMENT.data)
