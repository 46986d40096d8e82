# SPDX-License-Identifier: Apache-2.0
"""Templates: an empty list with its headers, one sample line, drop-down choices and a page that explains
the columns.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from muster.base.errors import Refusal
from muster.register.exporting.spreadsheets import CsvFile, Look, XlsxFile
from muster.register.importing.form import ROW_ID_COLUMN, SAMPLE_MARKS, Column, Form
from muster.register.importing.forms import form_of
from muster.register.importing.rows import sample_cells
from muster.register.importing.setting import Option, Setting

WORDS = {
    "guide": ("填写说明", "How to fill in"),
    "lists": ("选项", "Choices"),
    "column": ("列", "Column"),
    "must": ("必填", "Required"),
    "also": ("也认得的列名", "Other headers understood"),
    "choices": ("可填", "Choices"),
    "example": ("例", "Example"),
    "yes": ("是", "yes"),
    "one_of": ("与“{others}”任填一项", "this or {others}"),
}


def word(key: str, lang: str) -> str:
    return WORDS[key][0 if lang == "zh" else 1]


def looks_of(form: Form, setting: Setting, lang: str) -> list[Look]:
    """The columns of a form as a sheet has them, the hidden row id last."""
    either = {key for group in form.either for key in group}
    looks = [
        Look(
            column.header(lang),
            max(column.width, len(column.header(lang)) * (2 if lang == "zh" else 1) + 2),
            required=column.required or column.key in either,
            options=[] if column.many else [option.word(lang) for option in _options(column, setting)],
        )
        for column in form.columns
    ]
    return [*looks, Look(ROW_ID_COLUMN.header(lang), 10, hidden=True)]


def _options(column: Column, setting: Setting) -> Sequence[Option]:
    return column.options(setting) if column.options else ()


def write_template(kind: str, suffix: str, target: Path | BinaryIO, *, setting: Setting, lang: str) -> None:
    """Write the template of a kind as .xlsx or .csv. Raises Refusal import_kind_unknown,
    import_suffix_unknown.
    """
    form = form_of(kind)
    place = 0 if lang == "zh" else 1
    sample = sample_cells(form, setting, place)
    line = [*(sample[column.key] for column in form.columns), SAMPLE_MARKS[place]]
    if suffix == "csv":
        _write_csv(target, [[look.header for look in looks_of(form, setting, lang)], line])
    elif suffix == "xlsx":
        _write_xlsx(target, form, line, setting=setting, lang=lang)
    else:
        raise Refusal("import_suffix_unknown", suffix=suffix[:16])


def _write_csv(target: Path | BinaryIO, rows: Sequence[Sequence[str]]) -> None:
    if isinstance(target, Path):
        with target.open("wb") as out:
            _write_csv(out, rows)
        return
    file = CsvFile(target)
    for row in rows:
        file.add(row)
    file.close()


def _write_xlsx(
    target: Path | BinaryIO, form: Form, line: Sequence[str], *, setting: Setting, lang: str
) -> None:
    looks = looks_of(form, setting, lang)
    with XlsxFile(target) as book:
        sheet = book.sheet(form.title(lang), looks)
        sheet.add(line, faint=True)
        offer_choices(book, sheet, looks, lang)
        _write_guide(book, form, setting, lang)


def offer_choices(book: XlsxFile, sheet: object, looks: Sequence[Look], lang: str) -> None:
    """Drop-down lists; the choices stand on a hidden sheet, since a rule itself holds only 255 characters."""
    from muster.register.exporting.spreadsheets import XlsxSheet

    assert isinstance(sheet, XlsxSheet)
    offered = [(at, look) for at, look in enumerate(looks) if look.options]
    if not offered:
        return
    name = word("lists", lang)
    lists = book.sheet(name, [Look(look.header) for _, look in offered], hidden=True)
    for depth in range(max(len(look.options) for _, look in offered)):
        lists.add([look.options[depth] if depth < len(look.options) else "" for _, look in offered])
    for place, (at, look) in enumerate(offered):
        letter = chr(ord("A") + place)
        sheet.offer(at, f"='{name}'!${letter}$2:${letter}${len(look.options) + 1}")


def _write_guide(book: XlsxFile, form: Form, setting: Setting, lang: str) -> None:
    heads = ("column", "must", "choices", "also", "example")
    guide = book.sheet(
        word("guide", lang),
        [Look(word(key, lang), width) for key, width in zip(heads, (20, 24, 40, 50, 20), strict=True)],
    )
    place = 0 if lang == "zh" else 1
    for column in form.columns:
        options = " / ".join(option.word(lang) for option in _options(column, setting))
        guide.add(
            [
                column.header(lang),
                _must(column, form, lang),
                options,
                "、".join(column.also),
                column.sample[place],
            ]
        )


def _must(column: Column, form: Form, lang: str) -> str:
    if column.required:
        return word("yes", lang)
    for group in form.either:
        if column.key in group:
            others = " / ".join(form.by_key[key].header(lang) for key in group if key != column.key)
            return word("one_of", lang).format(others=others)
    return ""


def template_bytes(kind: str, suffix: str, *, setting: Setting, lang: str) -> bytes:
    out = io.BytesIO()
    write_template(kind, suffix, out, setting=setting, lang=lang)
    return out.getvalue()
