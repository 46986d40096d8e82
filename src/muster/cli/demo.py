# SPDX-License-Identifier: Apache-2.0
"""demo · drill: a living district in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muster.cli.house import migrate, set_up

People = Annotated[int, typer.Option(min=2_000, max=2_000_000, help="how many people the district has")]
Scenario = Annotated[str, typer.Option(help="epidemic-zh or flood")]
Seed = Annotated[int, typer.Option(min=0, help="another seed, another district")]
Roads = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="KML, KML.gz or GeoJSON: lay it over real streets"),
]
Townships = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="CSV of real sub-district names")
]
Speed = Annotated[
    int | None, typer.Option(min=1, max=300, help="how many times faster the day runs [default: 60]")
]
PrepareOnly = Annotated[bool, typer.Option("--prepare-only", help="make the data and stop")]


def register_commands(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(drill)
    app.command(hidden=True)(play)


def demo(
    people: People = 30_000,
    scenario: Scenario = "epidemic-zh",
    seed: Seed = 1,
    roads: Roads = None,
    townships: Townships = None,
    speed: Speed = None,
    prepare_only: PrepareOnly = False,
) -> None:
    """Make a drill district, start the house in it, and play a door round. Started again, it goes on."""
    set_up()
    from django.conf import settings

    from muster.drill.staging import Staging, clear_half_made, is_staged, stage

    if not is_staged():
        clear_half_made(settings.ENVIRONMENT.data)
    migrate()
    if not is_staged():
        from muster.cli.demo_progress import TerminalProgress

        with TerminalProgress("en" if scenario == "flood" else "zh") as progress:
            stage(Staging(scenario, people, seed, roads, townships, speed or 60), progress=progress)
    if prepare_only:
        return
    from muster.cli.demo_run import run_demo

    run_demo(speed=speed)


def drill(
    scenario: Annotated[str, typer.Argument(help="epidemic-zh or flood")],
    people: People = 30_000,
    seed: Seed = 1,
    roads: Roads = None,
    townships: Townships = None,
    speed: Speed = None,
    prepare_only: PrepareOnly = False,
) -> None:
    """The same as demo, with the scenario named first."""
    demo(people, scenario, seed, roads, townships, speed, prepare_only)


def play() -> None:
    """The day player's own process."""
    set_up()
    from muster.cli.demo_run import run_player

    run_player()
