# SPDX-License-Identifier: Apache-2.0
from django.contrib import admin

from muster.incidents.models import Incident
from muster.storage.admin import LookOnly


@admin.register(Incident)
class IncidentAdmin(LookOnly):
    list_display = ("name", "kind", "pack", "mode", "starts_at", "ends_at", "is_drill")
