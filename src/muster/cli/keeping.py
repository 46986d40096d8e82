# SPDX-License-Identifier: Apache-2.0
"""verify · backup · restore · sunset · verify-destruction: proof, keeping and the end of keeping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from muster.cli.house import set_up


def register_commands(app: typer.Typer) -> None:
    app.command()(verify)
    app.command()(backup)
    app.command()(restore)
    app.command()(sunset)
    app.command("verify-destruction")(verify_destruction)


def verify() -> None:
    """Prove that the ledger is what its facts say; exit 1 with a line per breach where it is not."""
    set_up()
    from muster.sync.verify import verify_all

    console = Console(stderr=True)
    breaches = verify_all(lambda name: console.print(f"· {name}"))
    for breach in breaches:
        typer.echo(f"{breach.check}\t{breach.where}\t{breach.told}")
    typer.echo(
        "verified: every fact has one verdict, every entry is what its facts say, the equation closes"
        if not breaches
        else f"{len(breaches)} breaches"
    )
    if breaches:
        raise typer.Exit(1)


def backup(file: Path) -> None:
    """Copy main database, then journal, then files, into one archive; keys go to FILE.keys, to be kept
    apart.
    """
    set_up()
    from muster.cli.archive import write_backup

    written = write_backup(file)
    for path in written:
        typer.echo(str(path))


def restore(file: Path) -> None:
    """Bring a backup back into an empty data folder; the restored instance takes a new identity and folds the
    rest.
    """
    set_up()
    from muster.cli.archive import read_backup

    read_backup(file)
    typer.echo("restored; a new instance identity was taken. Start with: muster serve")


def sunset(
    incident: str,
    officer: Annotated[list[str], typer.Option(help="a person who answers for it; at least two")],
    authority: Annotated[str, typer.Option(help="the body and document that order it")],
    witness: Annotated[str, typer.Option(help="who watches")],
    record: Annotated[Path, typer.Option("-o", help="where the signed record goes")] = Path(
        "destruction.json"
    ),
    acting: Annotated[str | None, typer.Option("--as", help="the user on whose behalf this is done")] = None,
) -> None:
    """Destroy the personal data of an ended incident, keys first, and write the signed record."""
    set_up()
    import uuid

    from muster.base.clock import now
    from muster.base.errors import Refusal
    from muster.cli.house import operator
    from muster.flows.sunset import destroy_incident_data
    from muster.incidents.services import incident_with_id

    try:
        found = incident_with_id(uuid.UUID(incident))
    except ValueError as error:
        raise Refusal("incident_unknown", incident=incident) from error
    document = destroy_incident_data(
        found, officers=officer, authority=authority, witness=witness, by=operator(acting).id, at=now()
    )
    record.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    typer.echo(str(record))


def verify_destruction(record: Path) -> None:
    """Check a destruction record: its signature, that no row is left and that no key can be read."""
    set_up()
    from muster.base.errors import Refusal
    from muster.flows.sunset import check_destruction

    if not record.is_file():
        raise Refusal("file_missing", path=str(record))
    try:
        document = json.loads(record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal("record_unreadable", path=str(record)) from error
    faults = check_destruction(document)
    typer.echo(
        "destruction holds: signed by this house, no row and no key is left"
        if not faults
        else "\n".join(faults)
    )
    if faults:
        raise typer.Exit(1)
