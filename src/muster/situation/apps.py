# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class SituationConfig(AppConfig):
    name = "muster.situation"
    verbose_name = "Situation"
