# SPDX-License-Identifier: Apache-2.0
"""Files as people really send them: merged cells, two rows of headers, other encodings, far too long."""

from __future__ import annotations

import io
import time

import pytest
import xlsxwriter

from muster.base.errors import Refusal
from muster.register.import_models import ImportChunk
from muster.register.importing.batches import kept_rows
from muster.register.importing.checking import _header
from muster.register.importing.forms import DWELLINGS, PERSONS
from muster.register.models import Person
from tests.register.list_files import bring, csv_file, id_number, somebody, take_in, xlsx
from tests.register.test_import_reading import LINES, refusal_of, rows_of

HEADER = ["姓名", "手机", "社区", "楼栋", "单元", "室号"]


def persons():
    return Person.objects.across(reason="count").filter(source="import")


def codes(batch) -> dict[int, list[str]]:
    return {row.number: [p.code for p in row.problems] for row in kept_rows(batch) if row.problems}


def merged_sheet(rows, *merges) -> bytes:
    """A workbook whose merged cells say only in their first what they say."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    for at, row in enumerate(rows):
        page.write_row(at, 0, row)
    for top, left, bottom, right in merges:
        page.merge_range(top, left, bottom, right, rows[top][left])
    book.close()
    return out.getvalue()


# ---- merged cells, headers of two rows ----


@pytest.mark.django_db
def test_cell_merged_over_several_lines_holds_for_each_of_them(world):
    rows = [
        HEADER,
        ["王一", "", "1社区", "1号楼", "1", "101"],
        ["王二", "", "", "", "", ""],
        ["王三", "", "", "", "", "201"],
        ["王四", "", "1社区", "2号楼", "1", "101"],
    ]
    raw = merged_sheet(rows, (1, 2, 3, 2), (1, 3, 3, 3), (1, 4, 3, 4), (1, 5, 2, 5))

    assert codes(take_in("persons", raw)) == {}
    doors = {p.name: p.dwelling_id for p in persons()}
    here = [d.id for d in world.dwellings]
    assert doors == {"王一": here[0], "王二": here[0], "王三": here[1], "王四": here[4]}


@pytest.mark.django_db
def test_blank_cell_that_is_not_merged_stays_blank(world):
    """Negative control: nothing is carried down that the sheet itself does not carry down."""
    rows = [HEADER, ["王一", "", "1社区", "1号楼", "1", "101"], ["王二", "", "", "", "", "101"]]

    assert codes(take_in("persons", xlsx(rows))) == {3: ["import_cell_missing"]}


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_header_of_two_rows_is_read_as_one(world, form):
    rows = [
        ["人员台账", "", "", "", "", ""],
        ["姓名", "手机", "住址", "", "", ""],
        ["", "", "社区", "楼栋", "单元", "室号"],
        ["王一", "13900000001", "1社区", "1号楼", "1", "101"],
    ]
    merges = [(0, 0, 0, 5), (1, 2, 1, 5), (1, 0, 2, 0), (1, 1, 2, 1)]
    raw = csv_file(rows) if form == "csv" else merged_sheet(rows, *merges)

    assert codes(take_in("persons", raw)) == {}
    assert persons().get().phone == "13900000001"


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([["姓名", "手机", "楼栋"], ["王一", "1", "1号楼"]], 0),
        ([["姓名", "手机", "住址"], ["", "", "楼栋", "单元"], ["王一"]], 1),
        ([["", "", "住址", "单元"], ["姓名", "手机", "楼栋", ""], ["王一"]], 1),
        ([["填报", "手机"], ["姓名", "手机", "楼栋"], ["王一"]], 1),
    ],
)
def test_header_ends_where_the_lines_begin(rows, last):
    columns = _header(rows, PERSONS)

    assert columns.header_row == last
    assert {"name", "phone", "building"} <= set(columns.places)


@pytest.mark.parametrize(
    ("headers", "places"),
    [
        (["姓名", "楼栋", "单元", "门牌号"], {"name": 0, "building": 1, "unit": 2, "room": 3}),
        (["姓名", "街巷", "门牌号", "房号"], {"name": 0, "street": 1, "building": 2, "room": 3}),
        (["姓名", "街巷", "门牌号"], {"name": 0, "street": 1, "building": 2}),
        (["姓名", "门牌号"], {"name": 0, "address": 1}),
        (["Name", "Building", "Door"], {"name": 0, "building": 1, "room": 2}),
        (["Name", "Door"], {"name": 0, "address": 1}),
    ],
)
def test_number_of_a_door_means_what_the_other_columns_leave_over(headers, places):
    assert _header([headers], PERSONS).places == places


@pytest.mark.parametrize(
    "headers", [["姓名", "楼栋", "楼栋"], ["姓名", "楼栋", "楼号"], ["姓名", "楼栋", "室号", "门牌号"]]
)
def test_two_columns_of_one_meaning_are_refused(headers):
    with pytest.raises(Refusal, match="import_column_twice"):
        _header([headers], PERSONS)


def test_sheets_without_a_list_are_refused():
    assert refusal_of(xlsx([])) == "import_file_empty"
    for rows in ([], [[""], [" "]], [["甲", "乙"]]):
        with pytest.raises(Refusal, match="import_no_header"):
            _header(rows, DWELLINGS)


# ---- encodings ----


@pytest.mark.parametrize(
    "encoding", ["gbk", "gb2312", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"]
)
def test_text_of_any_usual_encoding_is_read(encoding):
    assert rows_of(csv_file(LINES, encoding)) == LINES


@pytest.mark.parametrize(
    "raw",
    [
        csv_file(LINES * 40)[:200] + b"\xff" + csv_file(LINES * 40)[200:],  # one byte broken
        "姓名,楼栋\n王小明,一号楼\n".encode()[:-3],  # cut in the middle of a letter
    ],
)
def test_broken_utf_8_is_refused_and_not_read_as_something_else(raw):
    assert refusal_of(raw) == "import_encoding_unknown"


def test_utf_16_cut_in_a_letter_is_refused():
    assert refusal_of(csv_file(LINES, "utf-16")[:-1]) == "import_encoding_unknown"


@pytest.mark.parametrize("raw", [bytes(range(256)) * 8, b"\x00" * 400, b"\x01\x00\x02\x00\n\x00" * 50])
def test_bytes_that_are_no_text_are_refused(raw):
    assert refusal_of(raw) == "import_not_a_table"


@pytest.mark.parametrize("lines", [3, 400])
def test_quote_that_is_never_closed_swallows_nothing(lines):
    header, line = "姓名,手机,楼栋\n", "王小明,13900000001,1号楼\n"
    raw = (header + line + '"李小红,13900000002,1号楼\n' + line * lines).encode()

    with pytest.raises(Refusal) as refused:
        rows_of(raw)

    assert (refused.value.code, refused.value.facts) == ("import_quote_open", {"row": 3})


@pytest.mark.parametrize("cell", ['"一楼\n二楼"', '"a ""b"" c"', '1"号"楼', '"x"y'])
def test_quotes_that_are_closed_are_read(cell):
    raw = f"姓名,手机,楼栋\n王小明,1,{cell}\n李小红,2,x\n王五,3,{cell}".encode()

    assert [row[0] for row in rows_of(raw)] == ["姓名", "王小明", "李小红", "王五"]


# ---- cells ----


@pytest.mark.django_db
def test_formulas_count_by_what_they_show(world):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, HEADER)
    page.write_row(1, 0, ["王一", "", "1社区", "1号楼", "1"])
    page.write_formula(1, 5, '="10"&"1"', None, "101")
    page.write_row(2, 0, ["王二", "", "1社区", "", "1", "101"])
    page.write_formula(2, 3, "=A99", None, "#REF!")
    book.close()

    assert codes(take_in("persons", out.getvalue())) == {3: ["import_cell_missing"]}
    assert persons().get().dwelling_id == world.dwellings[0].id


@pytest.mark.django_db
def test_full_width_figures_and_numbers_as_text_are_figures(world):
    number = id_number()
    wide = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
    rows = [
        [*HEADER, "身份证号", "出生日期"],
        [
            "王一",
            "１３９０００００００１",
            "1社区",
            "１号楼",
            "１",
            "１０１",
            number.translate(wide),
            "１９８０年５月１日",
        ],
        ["王二", 13900000002, "1社区", 1, 1, 101, "", 29342],
    ]

    assert codes(take_in("persons", xlsx(rows))) == {}
    told = {(p.name, p.phone, p.birth_date.isoformat()) for p in persons()}
    assert told == {("王一", "13900000001", "1980-05-01"), ("王二", "13900000002", "1980-05-01")}
    assert {p.dwelling_id for p in persons()} == {world.dwellings[0].id}


# ---- sizes ----


@pytest.mark.django_db
def test_list_ten_times_too_long_is_refused_before_anything_is_kept(world):
    line = "王小明,,1社区,1号楼,1,101\n"
    raw = (",".join(HEADER) + "\n" + line * 400_000).encode()
    start = time.process_time()

    with pytest.raises(Refusal, match="import_rows_too_many"):
        take_in("persons", raw)

    assert not ImportChunk.objects.exists()
    assert time.process_time() - start < 2


# ---- somebody much like somebody known ----


@pytest.mark.django_db
def test_line_that_only_looks_like_somebody_is_shown_and_not_taken_for_the_same(world):
    bring("persons", somebody("王小明", 手机="13900000001", 身份证号=id_number()))

    batch = bring("persons", somebody("王小明", 手机="13900000001"))

    assert {k: batch.counts.get(k) for k in ("good", "known", "duplicates", "same")} == {
        "good": 1, "known": 1, "duplicates": 1, "same": None,
    }  # fmt: skip
    assert [(row.verdict, row.reason) for row in kept_rows(batch)] == [("duplicate", "same_phone")]
    assert persons().count() == 1


@pytest.mark.django_db
def test_line_that_says_all_that_is_known_is_the_same(world):
    line = somebody("王小明", 手机="13900000001")
    bring("persons", line)

    batch = bring("persons", line)

    assert (batch.counts["same"], batch.counts.get("duplicates", 0)) == (1, 0)


@pytest.mark.django_db
def test_two_alike_in_one_file_are_counted_as_duplicates(world):
    twice = [somebody("王小明", 手机="13900000001"), somebody("王小明", room="201", 手机="139 0000 0001")]

    counts = bring("persons", *twice, commit=False).counts

    assert (counts["new"], counts["bad"], counts["duplicates"]) == (1, 1, 1)
