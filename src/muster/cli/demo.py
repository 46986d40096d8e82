# SPDX-License-Identifier: Apache-2.0
"""demo · drill: a living district in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muster.cli.house import migrate, set_up


def register_commands(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(drill)
    app.command(hidden=True)(play)


def demo(
    people: Annotated[
        int, typer.Option(min=2_000, max=2_000_000, help="how many people the district has")
    ] = 30_000,
    scenario: Annotated[str, typer.Option(help="epidemic-zh or flood")] = "epidemic-zh",
    seed: Annotated[int, typer.Option(min=0)] = 1,
    roads: Annotated[
        Path | None, typer.Option(help="KML, KML.gz or GeoJSON: lay the district over real streets")
    ] = None,
    townships: Annotated[Path | None, typer.Option(help="CSV of real sub-district names")] = None,
    speed: Annotated[int, typer.Option(min=1, max=300, help="how many times faster the day runs")] = 60,
    prepare_only: Annotated[bool, typer.Option("--prepare-only", help="make the data and stop")] = False,
) -> None:
    """Make a drill district, start the house in it, and play a door round."""
    set_up()
    migrate()
    from muster.drill.staging import Staging, is_staged, stage

    staging = Staging(
        scenario=scenario, people=people, seed=seed, roads=roads, townships=townships, speed=speed
    )
    if not is_staged():
        stage(staging, say=typer.echo)
    if prepare_only:
        return
    from muster.cli.demo_run import run_demo

    run_demo()


def drill(
    scenario: Annotated[str, typer.Argument(help="epidemic-zh or flood")], people: int = 30_000, seed: int = 1
) -> None:
    """The same as demo, with the scenario named first."""
    demo(
        people=people, scenario=scenario, seed=seed, roads=None, townships=None, speed=60, prepare_only=False
    )


def play() -> None:
    """The day player's own process."""
    set_up()
    from muster.cli.demo_run import run_player

    run_player()
