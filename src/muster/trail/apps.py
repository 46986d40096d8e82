# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "muster.trail"
    verbose_name = "Trail"
