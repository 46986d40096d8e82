# SPDX-License-Identifier: Apache-2.0
"""serve · migrate · fold · work · tls init: starting the house and its processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muster.cli.house import migrate as run_migrations
from muster.cli.house import set_up


def register_commands(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command()(serve)
    app.command(hidden=True)(web)
    app.command(hidden=True)(fold)
    app.command(hidden=True)(work)
    app.command(hidden=True)(forward)
    app.command("solve-plan", hidden=True)(solve_plan)
    app.command("freeze-round", hidden=True)(freeze_asked_round)
    app.command("place-people", hidden=True)(place_people)
    tls = typer.Typer(help="Certificates for training and for a site that lives alone.")
    tls.command("init")(tls_init)
    app.add_typer(tls, name="tls")


def migrate() -> None:
    """Bring the database to this version's schema."""
    set_up()
    run_migrations()
    typer.echo("schema up to date")


def serve() -> None:
    """Start web, intake, fold and worker, and keep them running until interrupted."""
    set_up()
    run_migrations()
    from muster.cli.supervisor import Supervisor, house_processes, warming_up
    from muster.sync.site.standing import home_city

    Supervisor([*house_processes(is_site=home_city() is not None), warming_up()]).run()


def web() -> None:
    set_up()
    from muster.cli.processes import run_web

    run_web()


def fold() -> None:
    """Fold the journal into the ledger until told to stop."""
    set_up()
    from muster.cli.processes import run_fold

    run_fold()


def work() -> None:
    """Seal events, prune folded journal segments, run long jobs."""
    set_up()
    from muster.cli.processes import run_worker

    run_worker()


def forward() -> None:
    """Pass a site's journal on to its city until told to stop."""
    set_up()
    from muster.cli.forwarding import run_forwarder

    run_forwarder()


def solve_plan(plan: str) -> None:
    """Solve one queued division plan; started by the worker."""
    import uuid

    set_up()
    from muster.register import division_plans

    division_plans.solve_plan(uuid.UUID(plan))


def freeze_asked_round(round_id: str) -> None:
    """Freeze the roster that a desk asked for; started by the worker."""
    import uuid

    set_up()
    from muster.base.clock import now
    from muster.campaigns.queries import round_with_kind
    from muster.campaigns.services import freeze_round

    asked = round_with_kind(uuid.UUID(round_id))
    freeze_round(asked, by=asked.freeze_asked_by, at=now())


def place_people(plan: str) -> None:
    """Solve, adopt or take back a placement plan that was asked for; started by the worker."""
    import uuid

    set_up()
    from muster.base.clock import now
    from muster.flows.placement import carry_on

    carry_on(uuid.UUID(plan), at=now())


def tls_init(
    host: Annotated[
        list[str] | None, typer.Option(help="a host name or address; may be given more than once")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="where to write; default: tls in the data folder")
    ] = None,
) -> None:
    """Make a local certificate authority and a certificate, for training or a site of one's own."""
    set_up()
    from django.conf import settings

    from muster.cli.local_ca import make_local_ca

    made = make_local_ca(
        folder or settings.ENVIRONMENT.data / "tls", hosts=host or ["localhost", "127.0.0.1"]
    )
    typer.echo(f"authority:   {made.authority}\ncertificate: {made.certificate}\nkey:         {made.key}")
    typer.echo(f"MUSTER_TLS_CERT={made.certificate} MUSTER_TLS_KEY={made.key} muster serve")
