# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class RespondersConfig(AppConfig):
    name = "muster.responders"
    verbose_name = "Responders"

    def ready(self) -> None:
        from muster.register.importing.forms import FORMS
        from muster.responders.form import RESPONDERS

        FORMS[RESPONDERS.kind] = RESPONDERS
