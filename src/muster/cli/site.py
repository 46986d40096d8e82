# SPDX-License-Identifier: Apache-2.0
"""site prepare|open|status|pass|close: a laptop that is a part of the city while no line reaches it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from muster.cli.house import operator, set_up

PASSPHRASE = "MUSTER_SITE_PASSPHRASE"  # noqa: S105 -- the name of a setting
Passphrase = Annotated[Path | None, typer.Option(help="file with the passphrase; else it is asked for")]


def register_commands(app: typer.Typer) -> None:
    site = typer.Typer(help="A site that lives alone.", no_args_is_help=True)
    site.command("prepare")(prepare)
    site.command("open")(open_)
    site.command("status")(status)
    site.command("pass")(pass_on)
    site.command("close")(close)
    site.command("revoke")(revoke)
    app.add_typer(site, name="site")


def prepare(
    out: Annotated[Path, typer.Argument(help="the sealed file to write")],
    grid: Annotated[list[str], typer.Option(help="code or number of a grid of any level; more than once")],
    name: Annotated[str, typer.Option(help="what desks call this site")],
    days: Annotated[int, typer.Option(min=1, max=30, help="how long it may work")] = 7,
    address: Annotated[
        str, typer.Option(help="number of the city's address, where the site's Wi-Fi names itself so")
    ] = "",
    tls_cert: Annotated[Path | None, typer.Option(help="certificate for this host name")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="its key")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="whom the site believes, if none public")] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="without https, for training on one machine")
    ] = False,
    passphrase_file: Passphrase = None,
    acting: Annotated[str | None, typer.Option("--as", help="the user on whose behalf this is done")] = None,
) -> None:
    """Write the sealed file from which a laptop becomes a site for some grids."""
    set_up()
    from django.conf import settings

    from muster.base.clock import now
    from muster.base.errors import Refusal
    from muster.cli.site_files import own_packs, tls_for
    from muster.incidents.services import current_incident
    from muster.places.queries import grid_named
    from muster.sync.site.preparing import Addresses, prepare_site

    at = now()
    incident = current_incident(at)
    if incident is None:
        raise Refusal("incident_unknown", incident="-")
    environment = settings.ENVIRONMENT
    if environment.tls_cert is None and not plain:
        raise Refusal("site_city_plain", origin=environment.web_origin)
    ours = environment.tls_cert.parent if environment.tls_cert else None
    site, stock = prepare_site(
        out,
        name=name,
        grids=[grid_named(code) for code in grid],
        incident=incident,
        passphrase=_passphrase(passphrase_file, twice=True),
        until=at + timedelta(days=days),
        addresses=Addresses(environment.web_origin, environment.intake_origin, address),
        tls=tls_for(environment.public_host, ours=ours, cert=tls_cert, key=tls_key, authority=tls_ca),
        packs=own_packs(environment.data, incident.pack),
        by=operator(acting).id,
        at=at,
    )
    typer.echo(f"{out}\t{site.name}\t{site.id}\tuntil {site.until.isoformat(timespec='minutes')}")
    for shelf, rows in stock.items():
        typer.echo(f"{len(rows):8}  {shelf}")


def open_(
    bundle: Annotated[Path, typer.Argument(help="the sealed file")], passphrase_file: Passphrase = None
) -> None:
    """Make this empty data folder the site that a sealed file describes."""
    set_up()
    from django.conf import settings

    from muster.base.clock import now
    from muster.cli.house import migrate
    from muster.cli.site_files import write_environment
    from muster.sync.site.opening import open_bundle, open_site

    at = now()
    opened = open_bundle(bundle, passphrase=_passphrase(passphrase_file), at=at)
    migrate()
    home = open_site(opened, folder=settings.ENVIRONMENT.data, at=at)
    file = write_environment(settings.ENVIRONMENT.data, home)
    typer.echo(f"{home.name}\tgrids {len(home.grids)}\tuntil {home.until.isoformat(timespec='minutes')}")
    typer.echo(f"set -a; . {file}; set +a; muster serve")


def status() -> None:
    """Say whose site this is, what waits to be passed on and when the city was last reached."""
    set_up()
    from muster.base.errors import Refusal
    from muster.cli.house import migrate
    from muster.sync.site.progress import progress_of
    from muster.sync.site.standing import home_city

    migrate()
    home = home_city()
    if home is None:
        raise Refusal("not_a_site")
    for word, told in progress_of(home).items():
        typer.echo(f"{word:16} {told if told not in (None, '') else '-'}")


def pass_on() -> None:
    """Pass on what waits, now, once; exit 1 where something is left."""
    set_up()
    from muster.base.clock import now
    from muster.cli.forwarding import forwarder

    with forwarder() as passing:
        told = passing.drain(now=now)
    typer.echo(
        f"passed {told.passed} batches; {told.waiting} wait" + (f"; {told.trouble}" if told.trouble else "")
    )
    if told.waiting or told.trouble:
        raise typer.Exit(1)


def close(
    lose: Annotated[
        bool, typer.Option("--lose-what-waits", help="close although not all was passed on")
    ] = False,
) -> None:
    """Destroy what this laptop holds: keys first, then rows and journal. Only once all is in the city."""
    set_up()
    from django.conf import settings

    from muster.base.clock import now
    from muster.cli.forwarding import forwarder
    from muster.sync.site.closing import close_site, wipe_folder

    with forwarder() as passing:
        passing.count_waiting(at=now())
        home = close_site(at=now(), lose=lose)
    gone = wipe_folder(settings.ENVIRONMENT.data)
    typer.echo(f"{home.name}: keys destroyed, {gone} files gone")


def revoke(
    site: Annotated[str, typer.Argument(help="name or id of a site")],
    acting: Annotated[str | None, typer.Option("--as", help="the user on whose behalf this is done")] = None,
) -> None:
    """At the city: take a site's word back. What was recorded under it later is set aside, not lost."""
    set_up()
    from muster.base.clock import now
    from muster.sync.site.city_side import revoke_site, site_named

    found = site_named(site)
    revoke_site(found, by=operator(acting).id, at=now())
    typer.echo(f"{found.name}\trevoked")


def _passphrase(file: Path | None, *, twice: bool = False) -> str:
    from muster.base.errors import Refusal

    if file is not None:
        if not file.is_file():
            raise Refusal("file_missing", path=str(file))
        return file.read_text(encoding="utf-8").strip("\r\n")
    if PASSPHRASE in os.environ:
        return os.environ[PASSPHRASE]
    told: Any = typer.prompt("passphrase", hide_input=True, confirmation_prompt=twice)
    return str(told)
