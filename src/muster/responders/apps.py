# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class RespondersConfig(AppConfig):
    name = "muster.responders"
    verbose_name = "Responders"
