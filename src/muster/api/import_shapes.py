# SPDX-License-Identifier: Apache-2.0
"""An import as JSON: where it stands, what was understood, what is wrong, what looks known; in the reader's
words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from muster.base import messages
from muster.register.import_models import ImportBatch
from muster.register.importing.batches import job_of, summary_of
from muster.register.importing.form import Form
from muster.register.importing.forms import form_of
from muster.register.importing.operators import Operator
from muster.register.importing.reports import field_name, veiled_here, word
from muster.register.importing.rows import CheckedRow
from muster.register.importing.setting import Setting

COUNTS = ("rows", "good", "bad", "new", "changed", "same", "duplicates", "known", "samples")


def batch_line(batch: ImportBatch, lang: str) -> dict[str, Any]:
    """One line of the list of imports."""
    working = bool(batch.stage)
    return {
        "id": batch.id,
        "kind": batch.kind,
        "file_name": batch.file_name,
        "state": batch.state,
        "stage": batch.stage,
        "progress": {"done": batch.rows_done, "total": batch.rows_total} if working else None,
        "counts": {name: batch.counts.get(name, 0) for name in COUNTS},
        "result": {key: value for key, value in batch.result.items() if key != "undo_by"},
        "update": batch.update_known,
        "create_doors": batch.create_doors,
        "unknown_columns": batch.columns.get("unknown", []),
        "made_at": batch.made_at,
        "committed_at": batch.committed_at,
        "undone_at": batch.undone_at,
        "by": batch.made_by_name,
        "problem": _problem(batch, lang),
        "columns": [],
        "preview": [],
        "errors": [],
        "duplicates": [],
    }


def batch_json(batch: ImportBatch, who: Operator) -> dict[str, Any]:
    """The whole of it: the first lines as understood, with mistakes and with what the register says."""
    lang, form = who.language, form_of(batch.kind)
    setting = job_of(batch, at=batch.made_at).setting
    summary = summary_of(batch)
    used = [column for column in form.columns if column.key in batch.columns.get("places", {})]
    return {
        **batch_line(batch, lang),
        "columns": [column.header(lang) for column in used],
        "preview": [
            {
                "row": row.number,
                "verdict": _verdict(row),
                "values": _understood(row, batch, form, setting, lang),
            }
            for row in summary.preview
        ],
        "errors": [error for row in summary.bad for error in _errors(row, form, lang)],
        "duplicates": [_duplicate(row, form, setting, who) for row in (*summary.known, *summary.same)],
    }


def _verdict(row: CheckedRow) -> str:
    return "bad" if row.problems and row.verdict != "duplicate" else str(row.verdict)


def _errors(row: CheckedRow, form: Form, lang: str) -> list[dict[str, Any]]:
    return [
        {
            "row": row.number,
            "field": field_name(problem, form, lang),
            "code": problem.code,
            "message": problem.text(lang),
            "cure": problem.cure(lang),
        }
        for problem in row.problems
    ]


def _understood(
    row: CheckedRow, batch: ImportBatch, form: Form, setting: Setting, lang: str
) -> dict[str, str]:
    """The values as kept; where a cell could not be read, what is written in it."""
    said = _said(row.values, form, setting, lang)
    places = batch.columns.get("places", {})
    for problem in row.problems:
        column, at = form.by_key.get(problem.field), places.get(problem.field)
        if column is not None and at is not None and at < len(row.cells) and problem.field not in row.values:
            said[column.header(lang)] = row.cells[at]
    return said


def _duplicate(row: CheckedRow, form: Form, setting: Setting, who: Operator) -> dict[str, Any]:
    """The line beside the known row. Where the register says something else, that stays masked, whoever
    looks.
    """
    shown = {**row.values, **veiled_here(row, form)} if row.match else {}
    return {
        "row": row.number,
        "id": row.match,
        "verdict": _verdict(row),
        "reason": word(row.reason, who.language),
        "coming": _said(row.values, form, setting, who.language),
        "here": _said(shown, form, setting, who.language),
    }


def _said(values: Mapping[str, str], form: Form, setting: Setting, lang: str) -> dict[str, str]:
    return {
        column.header(lang): column.shown(values[column.key], setting, lang)
        for column in form.columns
        if column.key in values
    }


def _problem(batch: ImportBatch, lang: str) -> str | None:
    if not batch.problem:
        return None
    cure = messages.cure(batch.problem, lang, **batch.problem_facts)
    said = messages.text(batch.problem, lang, **batch.problem_facts)
    return f"{said}{'。' if lang == 'zh' else '. '}{cure}" if cure else said
