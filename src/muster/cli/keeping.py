# SPDX-License-Identifier: Apache-2.0
"""verify · backup · restore: proof and keeping."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from muster.cli.house import set_up


def register_commands(app: typer.Typer) -> None:
    app.command()(verify)
    app.command()(backup)
    app.command()(restore)


def verify() -> None:
    """Prove that the ledger is what its facts say; exit 1 with a line per breach where it is not."""
    set_up()
    from muster.sync.verify import verify_all

    console = Console(stderr=True)
    breaches = verify_all(lambda name: console.print(f"· {name}"))
    for breach in breaches:
        typer.echo(f"{breach.check}\t{breach.where}\t{breach.told}")
    typer.echo("verified: every fact has one verdict, every entry is what its facts say, the equation closes" if not breaches
               else f"{len(breaches)} breaches")  # fmt: skip
    if breaches:
        raise typer.Exit(1)


def backup(file: Path) -> None:
    """Copy main database, then journal, then files, into one archive; keys go to FILE.keys, to be kept apart."""
    set_up()
    from muster.cli.archive import write_backup

    written = write_backup(file)
    for path in written:
        typer.echo(str(path))


def restore(file: Path) -> None:
    """Bring a backup back into an empty data folder; the restored instance takes a new identity and folds the rest."""
    set_up()
    from muster.cli.archive import read_backup

    read_backup(file)
    typer.echo("restored; a new instance identity was taken. Start with: muster serve")
