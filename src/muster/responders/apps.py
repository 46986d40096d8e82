# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class RespondersConfig(AppConfig):
    name = "muster.responders"
    verbose_name = "Responders"

    def ready(self) -> None:
        from muster.register.exporting.lists import add_list
        from muster.register.importing.kinds import add_kind
        from muster.responders.exporting import list_responders
        from muster.responders.listing import Responders

        add_kind(Responders())
        add_list(Responders.form.kind, list_responders)
