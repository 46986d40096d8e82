# SPDX-License-Identifier: Apache-2.0
"""Templates that can be filled in and reports that can be mended: both come in again as they are."""

import io
from datetime import date, timedelta

import openpyxl
import pytest

from muster.base.errors import Refusal
from muster.incidents.services import declare_incident
from muster.packs import load
from muster.register.importing.batches import columns_of, job_of, kept_rows
from muster.register.importing.forms import FORMS, form_of
from muster.register.importing.kinds import KINDS
from muster.register.importing.reports import write_report
from muster.register.importing.setting import Setting
from muster.register.importing.templates import template_bytes
from muster.register.models import Person
from tests.register.list_files import bring, csv_file, id_number, sheet_of, somebody, table, take_in
from tests.support.world import NOON

SETTING = Setting(load("epidemic-zh"), date(2022, 9, 2))


def report_of(batch, lang: str = "zh") -> bytes:
    out = io.BytesIO()
    form, setting = form_of(batch.kind), job_of(batch, at=NOON).setting
    write_report(out, kept_rows(batch), form=form, columns=columns_of(batch), setting=setting, lang=lang)
    return out.getvalue()


# ---- templates ----


@pytest.mark.parametrize("kind", sorted(FORMS))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_template_has_its_headers_an_example_and_a_hidden_row_id(kind, lang):
    raw = template_bytes(kind, "xlsx", setting=SETTING, lang=lang)

    page = openpyxl.load_workbook(io.BytesIO(raw)).worksheets[0]
    headers = [cell.value for cell in page[1]]
    form = FORMS[kind]
    assert headers[:-1] == [column.header(lang) for column in form.columns]
    letters = {column.key: page.cell(1, at + 1) for at, column in enumerate(form.columns)}
    for column in form.columns:
        is_red = (
            letters[column.key].font.color is not None and letters[column.key].font.color.rgb == "FFB3261E"
        )
        assert is_red == (column.required or any(column.key in group for group in form.either)), column.key
    assert page.column_dimensions[page.cell(1, len(headers)).column_letter].hidden
    assert page.cell(2, len(headers)).value == ("示例" if lang == "zh" else "example")


def test_template_offers_choices_that_the_reader_understands():
    raw = template_bytes("persons", "xlsx", setting=SETTING, lang="zh")

    book = openpyxl.load_workbook(io.BytesIO(raw))
    offered = [str(rule.formula1) for rule in book.worksheets[0].data_validations.dataValidation]
    assert len(offered) == 3  # sex, registered here, lives here
    lists = book[offered[0].split("'")[1]]
    assert lists.sheet_state == "hidden"
    words = [cell.value for row in lists.iter_rows(min_row=2) for cell in row if cell.value]
    assert {"女", "男", "是", "否"} == set(words)


@pytest.mark.django_db
@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_template_as_it_comes_holds_nobody(kind, lang, suffix):
    if KINDS[kind].needs_incident:
        declare_incident(
            name="演练", kind="epidemic", pack="epidemic-zh", area=None, starts_at=NOON,
            ends_at=NOON + timedelta(days=1), is_drill=True, time_zone="Asia/Shanghai", by=None, at=NOON,
        )  # fmt: skip
    raw = template_bytes(kind, suffix, setting=SETTING, lang=lang)

    batch = take_in(kind, raw, commit=False)

    assert batch.counts == {"samples": 1}


@pytest.mark.parametrize(("kind", "suffix", "code"), [
    ("cats", "xlsx", "import_kind_unknown"), ("persons", "pdf", "import_suffix_unknown"),
])  # fmt: skip
def test_template_of_what_is_not_known_is_refused(kind, suffix, code):
    with pytest.raises(Refusal, match=code):
        template_bytes(kind, suffix, setting=SETTING, lang="zh")


# ---- reports ----


def test_report_gives_bad_lines_back_as_they_were_with_mistake_and_cure(world):
    batch = bring(
        "persons",
        somebody("王小明", 手机="12345", 身份证号="1101051980050112", 血型="A"),
        somebody("李小红"),
        commit=True,
    )

    header, line = sheet_of(report_of(batch))

    assert header == [
        "姓名",
        "社区",
        "楼栋",
        "单元",
        "室号",
        "手机",
        "身份证号",
        "血型",
        "错误",
        "涉及",
        "原行号",
    ]
    assert line[:8] == ["王小明", "1社区", "1号楼", "1", "101", "12345", "1101051980050112", "A"]
    assert "手机：这不像电话号码；" in line[8]
    assert "身份证号：" in line[8]
    assert "18 位" in line[8]
    assert line[9:] == ["身份证号、手机", "2"]


def test_report_speaks_the_readers_language(world):
    batch = bring("persons", somebody("王小明", 手机="12345"))

    header, line = sheet_of(report_of(batch, "en"))

    assert header[-3:] == ["Mistakes", "Fields", "Row"]
    assert line[-3].startswith("Phone：this does not look like a phone number; ")


def test_report_colours_the_cells_that_are_wrong(world):
    batch = bring("persons", somebody("王小明", 手机="12345"))

    page = openpyxl.load_workbook(io.BytesIO(report_of(batch))).worksheets[0]
    coloured = [page.cell(1, cell.column).value for cell in page[2] if cell.fill.fgColor.rgb == "FFFFD9D6"]
    assert coloured == ["手机", "错误"]


def test_report_mended_comes_in_again(world):
    batch = bring("persons", somebody("王小明", 手机="12345"), somebody("李小红", 手机="13900000002"))
    header, line = sheet_of(report_of(batch))
    line[header.index("手机")] = "13900000001"

    again = take_in("persons", csv_file([header, line]))

    assert again.columns["unknown"] == []
    assert again.result["added_person"] == 1
    assert Person.objects.across(reason="count").filter(source="import").count() == 2
    assert sheet_of(report_of(again))[1:] == []


def test_report_shows_known_people_on_a_sheet_of_their_own(world):
    bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000001"))
    batch = bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000002"))

    header, line = sheet_of(report_of(batch), 1)

    assert header[-3:] == ["重复说明", "册内现有", "原行号"]
    assert line[-3:] == ["证件号码相同，未改动", "手机=139****0001", "2"]
    assert sheet_of(report_of(batch), 0)[1:] == []


def test_report_shows_who_was_added_and_is_much_like_somebody(world):
    bring("persons", somebody("王小明", 身份证号=id_number()))
    batch = bring("persons", somebody("王小明", 身份证号=id_number(born="20100101")))

    (_, line) = sheet_of(report_of(batch, "en"), 1)

    assert line[-3] == "same name behind the same door, added; see whether they are one"


def test_report_of_hostile_cells_holds_no_formula(world):
    batch = bring("persons", somebody("=cmd|' /C calc'!A0", 手机="1"), somebody("@SUM(1)", 手机="+1"))

    book = openpyxl.load_workbook(io.BytesIO(report_of(batch)))
    assert all(cell.data_type != "f" for page in book for row in page.iter_rows() for cell in row)


def test_every_message_of_a_line_has_a_cure_or_says_enough(world):
    """What comes back names row, field and mistake; for most there is also what to do."""
    line = somebody("", 手机="1", 性别="外星", 出生日期="从前", 户籍在此="也许")
    batch = take_in("persons", csv_file(table(line)))

    (row,) = kept_rows(batch)
    assert {p.field for p in row.problems} == {"name", "phone", "sex", "birth_date", "registered_here"}
    assert all(p.text("zh") and p.text("en") for p in row.problems)
