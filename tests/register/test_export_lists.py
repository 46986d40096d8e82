# SPDX-License-Identifier: Apache-2.0
"""Lists taken out: the rows of the screen, safe cells, masked where the policy says so, and back again."""

import ast
import csv
import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import muster
from muster.base.errors import Refusal
from muster.places.models import Area
from muster.register.exporting.filters import Filters
from muster.register.exporting.spreadsheets import CsvFile, Look, XlsxFile, neutral
from muster.register.exporting.writing import Export, write_export
from muster.register.importing.batches import kept_rows, setting_for
from muster.register.importing.finding import Reach
from muster.register.importing.kinds import KINDS
from muster.register.importing.rows import plain_cell
from muster.register.models import Household, Need, Person
from muster.trail.models import Disclosure, Event
from tests.register.list_files import bring, csv_file, id_number, operator, sheet_of, somebody, take_in
from tests.support.world import NOON

HOSTILE = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\u3000=1",
    "＝1",
    "|calc",
    "%0A=1",
    '=HYPERLINK("http://x","y")',
    "http://example.org",
    "{=1}",
    "'=1",
    "=",
]


def csv_rows(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


def take_out(kind: str, suffix: str = "csv", *, who=None, lang: str = "zh", **filters) -> bytes:
    out = io.BytesIO()
    hashtags = filters.pop("hashtags", False)
    export = Export(kind, who or operator(), setting_for(None, at=NOON), lang, Filters(**filters), hashtags)
    write_export(export, suffix, out, at=NOON)
    return out.getvalue()


# ---- safe cells ----


@pytest.mark.parametrize("text", HOSTILE)
def test_cells_of_a_workbook_are_texts_whatever_they_say(text):
    out = io.BytesIO()
    with XlsxFile(out) as book:
        book.sheet("a", [Look(text)]).add([text])

    page = openpyxl.load_workbook(io.BytesIO(out.getvalue())).worksheets[0]
    for cell in (page["A1"], page["A2"]):
        assert cell.data_type in ("s", "inlineStr")
        assert cell.hyperlink is None


@pytest.mark.parametrize("text", HOSTILE)
def test_cells_of_csv_are_no_formulas_and_read_back_as_they_were(text):
    out = io.BytesIO()
    file = CsvFile(out)
    file.add([text, "x"])
    file.close()

    ((cell, other),) = csv_rows(out.getvalue())
    assert cell.lstrip(" \u3000")[:1] not in set("=+-@\t\r＝＋－＠")
    assert other == "x"
    if text[0] in "=+-@＝＋－＠":
        assert plain_cell(cell) == text


@given(text=st.text(max_size=20))
def test_cells_of_csv_never_begin_like_a_formula(text):
    assert neutral(text).lstrip(" \u3000\xa0")[:1] not in set("=+-@\t\r\n＝＋－＠") or not text.strip()


WRITERS = {"xlsxwriter", "openpyxl", "xlwt", "pyexcel", "pandas", "odf", "tablib"}
CSV_WRITERS = {"writer", "DictWriter"}


def spreadsheet_writers(source: str) -> list[str]:
    """What in a source could write a spreadsheet."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module.split(".")[0]]
            if node.module == "csv":
                found += [alias.name for alias in node.names if alias.name in CSV_WRITERS]
        elif isinstance(node, ast.Attribute) and node.attr in CSV_WRITERS:
            found += ["csv." + node.attr] if getattr(node.value, "id", "") == "csv" else []
        found += [name for name in names if name in WRITERS]
    return found


def test_only_one_place_in_the_house_writes_spreadsheets():
    house = Path(muster.__file__).parent
    writing = {
        str(path.relative_to(house))
        for path in house.rglob("*.py")
        if spreadsheet_writers(path.read_text(encoding="utf-8"))
    }

    assert writing == {"register/exporting/spreadsheets.py"}


@pytest.mark.parametrize(
    "source",
    [
        "import openpyxl",
        "from xlsxwriter import Workbook",
        "import csv\ncsv.writer(f)",
        "from csv import DictWriter",
    ],
)
def test_another_writer_would_be_seen(source):
    assert spreadsheet_writers(source)
    assert not spreadsheet_writers("import csv\ncsv.reader(f)")


# ---- what is taken out ----


def test_persons_come_out_with_their_doors(world):
    header, first, *rest = csv_rows(take_out("persons"))

    assert header[:3] == ["姓名", "身份证号", "手机"]
    said = dict(zip(header, first, strict=True))
    assert (said["姓名"], said["手机"], said["社区"]) == ("演1", "13800000001", "1社区")
    assert (said["楼栋"], said["单元"], said["室号"], said["现住在此"]) == ("1号楼", "1", "101", "是")
    assert len(rest) == len(world.persons) - 1


def test_workbook_holds_the_same_as_csv(world):
    from_csv = csv_rows(take_out("persons"))

    from_book = sheet_of(take_out("persons", "xlsx"))

    assert [[plain_cell(cell) for cell in row] for row in from_csv] == from_book


def test_areas_come_out_and_in_again_unchanged(db):
    bring(
        "areas",
        {"代码": "88", "名称": "柳州", "层级": "市"},
        {"代码": "8801", "名称": "柳东", "层级": "区县", "上级代码": "88", "英文名称": "Liudong"},
    )

    raw = take_out("areas", area=Area.objects.get(code="88").id)

    assert len(csv_rows(raw)) == 3
    assert take_in("areas", raw, update_known=True).result == {"same": 2}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"areas"}))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_comes_out_and_in_again_unchanged(world, kind, lang):
    bring("needs", {"姓名": "演1", "手机": "13800000001", "需求类型": "残疾人", "备注": "-轮椅"})
    bring("responders", {"姓名": "王小明", "手机": "13911110001", "社区": "1社区", "楼栋": "1号楼"})
    raw = take_out(kind, "csv", lang=lang)
    assert len(csv_rows(raw)) > 1

    batch = take_in(kind, raw, update_known=True)

    assert [(row.values, row.problems) for row in kept_rows(batch)] == []
    assert batch.result["same"] == len(csv_rows(raw)) - 1
    assert set(batch.result) == {"same"}


def test_hashtags_stand_below_the_header_and_do_no_harm(world):
    raw = take_out("persons", hashtags=True)

    assert csv_rows(raw)[1][0] == "#contact+name"
    assert take_in("persons", raw).result["same"] == len(world.persons)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (lambda w: {"grid": w.grids[0].id}, {f"演{n}" for n in range(1, 9)}),
        (lambda w: {"area": w.communities[1].id}, {f"演{n}" for n in range(17, 33)}),
        (lambda w: {"building": w.buildings[3].id}, {f"演{n}" for n in range(25, 33)}),
        (lambda w: {"q": "演12"}, {"演12"}),
        (lambda w: {"need": "disabled"}, {"演3"}),
        (lambda w: {"need": "disabled", "grid": w.grids[1].id}, set()),
    ],
)
def test_filters_are_those_of_the_screen(world, filters, names):
    Need.objects.create(sub_district=1, person=world.persons[2], kind="disabled", seen_at=NOON)

    rows = csv_rows(take_out("persons", **filters(world)))

    assert {row[0] for row in rows[1:]} == names


def test_who_left_is_not_on_the_list(world):
    Person.objects.across(reason="count").filter(id=world.persons[0].id).update(left_at=NOON)

    assert "演1" not in {row[0] for row in csv_rows(take_out("persons"))}


@pytest.mark.parametrize("kind", ["buildings", "dwellings", "households", "persons", "needs"])
def test_nothing_outside_the_reach_comes_out(world, kind):
    Need.objects.create(sub_district=1, person=world.persons[-1], kind="disabled", seen_at=NOON)
    Need.objects.create(sub_district=1, person=world.persons[0], kind="disabled", seen_at=NOON)
    here = operator(Reach((world.communities[0].path,)))

    rows = csv_rows(take_out(kind, who=here))

    at = rows[0].index("社区")
    assert {row[at] for row in rows[1:]} == {"1社区"}


def test_grids_alone_are_a_reach_too(world):
    here = operator(Reach((), frozenset([world.grids[1].id])))

    rows = csv_rows(take_out("persons", who=here))

    assert {row[0] for row in rows[1:]} == {f"演{n}" for n in range(9, 17)}
    assert take_in("persons", take_out("persons", who=here), who=here).result["same"] == 8


def test_masked_lists_hide_names_and_cannot_come_back(world):
    bring("persons", somebody("王小明", 身份证号=id_number(), 备注="秘密"))
    veiled = replace(operator(), full=False)

    raw = take_out("persons", who=veiled)

    assert "王小明" not in raw.decode()
    assert "秘密" not in raw.decode()
    assert id_number() not in raw.decode()
    (line,) = [row for row in csv_rows(raw) if row[0] == "王*明"]
    assert line[-1] == ""
    assert take_in("persons", raw, commit=False, update_known=True).counts.get("good", 0) == 0


def test_looking_is_recorded_grid_by_grid(world):
    who = operator()

    take_out("persons", who=who, area=world.communities[0].id)

    seen = Disclosure.objects.filter(operation="register.export")
    assert {(d.grid, d.rows, d.actor, d.fields) for d in seen} == {
        (world.grids[0].id, 8, who.id, "persons:full"),
        (world.grids[1].id, 8, who.id, "persons:full"),
    }
    assert Event.objects.get(verb="export").facts["rows"] == 16


def test_buildings_tell_nothing_of_persons_and_need_no_record(world):
    take_out("buildings")

    assert not Disclosure.objects.exists()


@pytest.mark.parametrize("filters", [{"area": 10**9}, {"grid": 10**9}])
def test_unknown_place_is_refused(world, filters):
    with pytest.raises(Refusal, match="not_found"):
        take_out("persons", **filters)


# ---- there and back ----


def edited(raw: bytes, change) -> bytes:
    rows = csv_rows(raw)
    header = rows[0]
    for row in rows[1:]:
        said = dict(zip(header, row, strict=True))
        for key, value in change(said).items():
            row[header.index(key)] = value
    return csv_file(rows)


def test_edits_in_a_spreadsheet_and_at_the_desk_both_survive(world):
    raw = take_out("persons", grid=world.grids[0].id)
    Person.objects.across(reason="count").filter(id=world.persons[0].id).update(sex="F", version=2)
    mine = {"演1": {"备注": "三楼"}, "演2": {"姓名": "演贰"}}

    batch = take_in("persons", edited(raw, lambda said: mine.get(said["姓名"], {})), update_known=True)

    one, two = (Person.objects.across(reason="count").get(id=p.id) for p in world.persons[:2])
    assert (one.sex, one.note, two.name) == ("F", "三楼", "演贰")
    assert (batch.result["changed_person"], batch.result["same"]) == (2, 6)


def test_cell_edited_on_both_sides_comes_back(world):
    raw = take_out("persons", grid=world.grids[0].id)
    Person.objects.across(reason="count").filter(id=world.persons[0].id).update(sex="F", version=2)

    mine = edited(raw, lambda said: {"性别": "男"} if said["姓名"] == "演1" else {})
    batch = take_in("persons", mine, update_known=True)

    (row,) = kept_rows(batch)
    assert [(p.field, p.code) for p in row.problems] == [("sex", "import_changed_meanwhile")]
    assert Person.objects.across(reason="count").get(id=world.persons[0].id).sex == "F"


def test_row_id_copied_to_a_second_line_is_seen(world):
    raw = take_out("persons", grid=world.grids[0].id)
    rows = csv_rows(raw)
    rows.append(["演新", *rows[1][1:]])

    batch = take_in("persons", csv_file(rows), update_known=True)

    (row,) = kept_rows(batch)
    assert (row.number, row.verdict, row.problems[0].code) == (10, "duplicate", "import_twice")


def test_row_id_that_was_invented_is_refused(world):
    raw = take_out("persons", grid=world.grids[0].id)
    other = str(world.persons[20].id)

    mine = edited(raw, lambda said: {"系统编号（请勿改动）": other + said["系统编号（请勿改动）"][36:]})
    batch = take_in("persons", mine, update_known=True)

    assert {p.code for row in kept_rows(batch) for p in row.problems} == {"import_row_id_bad"}


def test_row_that_is_gone_since_is_said(world):
    raw = take_out("households", grid=world.grids[0].id)
    Person.objects.across(reason="count").update(household=None)
    Household.objects.across(reason="count").all().delete()

    batch = take_in("households", raw, update_known=True)

    assert {p.code for row in kept_rows(batch) for p in row.problems} == {"import_row_gone"}
