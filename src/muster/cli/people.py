# SPDX-License-Identifier: Apache-2.0
"""user add|list · token · enrol-code: who may act, from the console."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from muster.cli.house import operator, set_up

AS = typer.Option("--as", help="the user on whose behalf this is done")


def register_commands(app: typer.Typer) -> None:
    users = typer.Typer(help="People who act in Muster.", no_args_is_help=True)
    users.command("add")(user_add)
    users.command("list")(user_list)
    app.add_typer(users, name="user")
    app.command()(token)
    app.command("enrol-code")(enrol_code)


def user_add(
    username: str,
    role: Annotated[str, typer.Option(help="a role of roles.toml")],
    name: Annotated[str, typer.Option()] = "",
    area: Annotated[str, typer.Option(help="code of an area, or / for everywhere")] = "/",
    password: Annotated[
        str | None, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)
    ] = None,
    acting: Annotated[str | None, AS] = None,
) -> None:
    """Add somebody with a role over an area."""
    set_up()
    from django.db import transaction

    from muster.accounts import services
    from muster.base.clock import now
    from muster.trail.services import record_event

    by = operator(acting)
    area_id, path = _area(area)
    with transaction.atomic():
        user = services.add_user(username=username, name=name or username, password=password)
        services.grant_role(user, role=role, at=now(), area=area_id, area_path=path, by=by.id)
        if role == "operator":
            type(user).objects.filter(id=user.id).update(is_staff=True, is_superuser=True)
        record_event("User", user.id, "add", at=now(), actor=by.id, role=role)
    typer.echo(f"{username} · {role} · {area}")


def _area(code: str) -> tuple[int | None, str]:
    from muster.base.errors import Refusal
    from muster.places.models import Area

    if code == "/":
        return None, "/"
    found = Area.objects.filter(code=code).first()
    if found is None:
        raise Refusal("area_unknown", area=code)
    return found.id, found.path


def user_list() -> None:
    """List users with their grants."""
    set_up()
    from muster.accounts.models import User

    for user in User.objects.prefetch_related("grants").order_by("username"):
        held = ", ".join(f"{g.role}@{g.area_path or g.grid}" for g in user.grants.all())
        typer.echo(f"{user.username}\t{user.name}\t{held}")


def token(
    name: str,
    role: Annotated[str, typer.Option(help="a role of roles.toml")],
    area: Annotated[str, typer.Option(help="code of an area, or / for everywhere")] = "/",
    days: Annotated[int, typer.Option(min=1, max=365)] = 30,
    acting: Annotated[str | None, AS] = None,
) -> None:
    """Make an API token with a role over an area; it is shown once."""
    set_up()
    from muster.accounts import services
    from muster.accounts.models import User
    from muster.base.clock import now
    from muster.trail.services import record_event

    by = operator(acting)
    area_id, path = _area(area)
    user = User.objects.filter(username=name).first() or services.add_user(username=name, name=name)
    at = now()
    services.grant_role(
        user, role=role, at=at, area=area_id, area_path=path, until=at + timedelta(days=days), by=by.id
    )
    secret = services.make_token(user, name=name, at=at, expires_at=at + timedelta(days=days))
    record_event("Token", user.id, "make", at=at, actor=by.id, role=role)
    typer.echo(secret)


def enrol_code(
    grid: Annotated[str, typer.Option(help="code or number of a grid")],
    worker: Annotated[str, typer.Option(help="the worker's name")] = "",
    acting: Annotated[str | None, AS] = None,
) -> None:
    """Make a code with which a worker's phone joins a grid."""
    set_up()
    from muster.base.clock import now
    from muster.base.errors import Refusal
    from muster.incidents.services import current_incident
    from muster.places.queries import grid_named
    from muster.places.services import issue_enrol_code

    incident = current_incident(now())
    if incident is None:
        raise Refusal("incident_unknown", incident="-")
    code, row = issue_enrol_code(
        grid_named(grid), incident=incident.id, worker_name=worker, by=operator(acting).id, at=now()
    )
    typer.echo(f"{code}\t{row.expires_at.isoformat()}")
