# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class TripsConfig(AppConfig):
    name = "muster.trips"
    verbose_name = "Trips"
