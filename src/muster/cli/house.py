# SPDX-License-Identifier: Apache-2.0
"""What every command needs of the house: Django set up, the schema in place, an operator's name."""

from __future__ import annotations

from typing import Any


def set_up() -> None:
    """Makes the data folder and sets Django up; imports of models come after this."""
    import django
    from django.conf import settings

    settings.ENVIRONMENT.data.mkdir(parents=True, exist_ok=True)
    django.setup()


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def operator(name: str | None) -> Any:
    """The named user on whose behalf a command acts; the console's own operator when none is named."""
    from muster.accounts.models import User
    from muster.accounts.services import add_user
    from muster.base.errors import Refusal

    if name is not None:
        found = User.objects.filter(username=name).first()
        if found is None:
            raise Refusal("user_unknown", username=name)
        return found
    found = User.objects.filter(username="console").first()
    return found or add_user(username="console", name="console")
