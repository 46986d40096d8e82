# SPDX-License-Identifier: Apache-2.0
"""template · import · undo-import · export: lists in spreadsheets, from the console."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muster.base.errors import Refusal
from muster.cli.house import set_up

if TYPE_CHECKING:
    from muster.register.importing.operators import Operator

KIND = typer.Argument(help="areas, buildings, dwellings, households, persons, needs or responders")
LANG = typer.Option(help="zh or en: headers and words; default: the terminal's language")
AS = typer.Option("--as", help="the user on whose behalf this is done")


def register_commands(app: typer.Typer) -> None:
    app.command()(template)
    app.command("import")(bring_in)
    app.command("undo-import")(undo)
    app.command("export")(take_out)
    app.command("import-job", hidden=True)(work_on)


def template(
    kind: Annotated[str, KIND],
    file: Annotated[Path, typer.Argument(help="where to write it: .xlsx or .csv")],
    lang: Annotated[str | None, LANG] = None,
) -> None:
    """Write an empty list with its columns, an example and its choices."""
    set_up()
    from muster.base.clock import now
    from muster.cli.list_files import writing_to
    from muster.register.importing.batches import setting_for
    from muster.register.importing.templates import write_template

    with writing_to(file) as out:
        write_template(kind, _suffix(file), out, setting=setting_for(None, at=now()), lang=_language(lang))
    typer.echo(str(file))


def bring_in(
    kind: Annotated[str, KIND],
    file: Annotated[Path, typer.Argument(help="the list: .xlsx or .csv")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check only; nothing is written")] = False,
    report: Annotated[Path | None, typer.Option(help="where rows with mistakes come back: .xlsx")] = None,
    update: Annotated[bool, typer.Option("--update/--skip", help="change known rows, or leave them")] = False,
    create_doors: Annotated[bool, typer.Option("--create-doors", help="make doors that are missing")] = False,
    incident: Annotated[
        str | None, typer.Option(help="keep these rows for one incident only: its id")
    ] = None,
    lang: Annotated[str | None, LANG] = None,
    acting: Annotated[str | None, AS] = None,
) -> None:
    """Bring a list in. Good rows go in; rows with mistakes come back in the report."""
    set_up()
    from muster.cli.list_files import ListRun
    from muster.register.importing.batches import Choices
    from muster.register.importing.operators import IMPORT

    language = _language(lang)
    choices = Choices(update, create_doors, _uuid(incident, "incident_unknown", "incident"))
    who = _operator(acting, IMPORT, language, kept=not dry_run)
    run = ListRun(kind, file, who, choices, report, language)
    run.check_only() if dry_run else run.bring_in()


def undo(
    batch: Annotated[str, typer.Argument(help="the import's id, as `import` prints it")],
    acting: Annotated[str | None, AS] = None,
) -> None:
    """Take an import back: what it added goes where nothing refers to it since."""
    set_up()
    from muster.base.clock import now
    from muster.cli.list_files import progress_bar
    from muster.flows.import_undo import undo_import
    from muster.register.importing.batches import batch_with_id
    from muster.register.importing.operators import IMPORT

    who = _operator(acting, IMPORT, _language(None), kept=True)
    known = batch_with_id(_uuid(batch, "not_found", "batch") or uuid.UUID(int=0), operator=who)
    with progress_bar() as show:
        done = undo_import(known.id, by=who.id, now=now, progress=show)
    told = done.result["undo"]
    typer.echo(" · ".join(f"{name}={count}" for name, count in sorted(told.items())))


def work_on(batch: str) -> None:
    """Do what a desk asked for with a batch; started by the worker."""
    set_up()
    from muster.base.clock import now
    from muster.flows.import_jobs import run_job

    run_job(uuid.UUID(batch), now=now)


def take_out(
    kind: Annotated[str, KIND],
    file: Annotated[Path, typer.Argument(help="where to write it: .xlsx or .csv")],
    area: Annotated[str | None, typer.Option(help="code of an area")] = None,
    grid: Annotated[str | None, typer.Option(help="code of a grid")] = None,
    need: Annotated[str, typer.Option(help="only persons with this need")] = "",
    search: Annotated[str, typer.Option(help="only rows that match")] = "",
    hashtags: Annotated[bool, typer.Option("--hxl", help="a row of HXL hashtags below the header")] = False,
    masked: Annotated[bool, typer.Option("--masked", help="hide parts of names and numbers")] = False,
    lang: Annotated[str | None, LANG] = None,
    acting: Annotated[str | None, AS] = None,
) -> None:
    """Write a list of what the register holds; an edited one can be brought in again with --update."""
    set_up()
    from dataclasses import replace

    from muster.base.clock import now
    from muster.cli.list_files import filters_of, progress_bar, writing_to
    from muster.register.exporting.writing import Export, write_export
    from muster.register.importing.batches import setting_for
    from muster.register.importing.operators import EXPORT

    language, at = _language(lang), now()
    who = _operator(acting, EXPORT, language, kept=True)
    filters = filters_of(area=area, grid=grid, need=need, search=search)
    if masked:
        who = replace(who, full=False)
    export = Export(kind, who, setting_for(None, at=at), language, filters, hashtags)
    with writing_to(file) as out, progress_bar() as show:
        count = write_export(export, _suffix(file), out, at=at, progress=lambda done: show(kind, done, 0))
    typer.echo(f"{file} · {count}")


def _suffix(file: Path) -> str:
    return file.suffix.lower().lstrip(".")


def _language(asked: str | None) -> str:
    if asked in ("zh", "en"):
        return asked
    if asked:
        raise Refusal("import_language_unknown", language=asked[:16])
    return "zh" if os.environ.get("LANG", "").startswith("zh") else "en"


def _uuid(text: str | None, code: str, fact: str) -> uuid.UUID | None:
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Refusal(code, **{fact: text[:40]}) from None


def _operator(name: str | None, operation: str, language: str, *, kept: bool) -> Operator:
    """A named user acts within his grants; the console reaches everything. kept: a check leaves no trace of
    itself.
    """
    from muster.accounts.models import User
    from muster.base.clock import now
    from muster.cli.house import operator
    from muster.register.importing.operators import console_operator, operator_by_policy

    if name is not None:
        return operator_by_policy(operator(name), operation, at=now(), language=language)
    user = operator(None) if kept else User(username="console", name="console")
    return console_operator(user, language=language)
