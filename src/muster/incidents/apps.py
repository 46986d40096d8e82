# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "muster.incidents"
    verbose_name = "Incidents"
