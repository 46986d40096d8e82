# SPDX-License-Identifier: Apache-2.0
"""Files from outside: what can be read is read in any order and encoding; what is hostile is refused at
little cost.
"""

import io
import resource
import time
import zipfile
from datetime import UTC, date, datetime

import msgspec
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.register.importing import reading
from muster.register.importing.archive_check import check_archive
from muster.register.importing.cell_text import text_of
from muster.register.importing.columns import find_header, map_columns
from muster.register.importing.forms import FORMS, PERSONS
from muster.register.importing.limits import LIMITS, Limits
from tests.register.list_files import csv_file, xlsx

_SHEET = "xl/worksheets/sheet1.xml"
HEADER = ["姓名", "手机", "楼栋"]
LINES = [HEADER, ["王小明", "13900000001", "1号楼"]]


def rows_of(raw: bytes, limits: Limits = LIMITS) -> list[list[str]]:
    with reading.open_sheet(raw, names=PERSONS.names, limits=limits) as sheet:
        return list(sheet.rows)


def refusal_of(raw: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Refusal) as refused:
        rows_of(raw, limits)
    return refused.value.code


def outcome_of(raw: bytes) -> str:
    try:
        rows_of(raw)
    except Refusal as refusal:
        return refusal.code
    return "import_read"


def with_limits(**more) -> Limits:
    return msgspec.structs.replace(LIMITS, **more)


def archive(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as zipped:
        for name, body in entries.items():
            zipped.writestr(name, body)
    return out.getvalue()


# ---- what can be read ----


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_csv_in_the_usual_encodings(encoding):
    assert rows_of(csv_file(LINES, encoding)) == LINES


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_with_the_usual_delimiters_and_line_ends(sign):
    raw = sign.join(HEADER) + "\r\n" + sign.join(['"王\n小明"', "13900000001", '"1""号楼"']) + "\r\n"

    assert rows_of(raw.encode()) == [HEADER, ["王\n小明", "13900000001", '1"号楼']]


def test_workbook_as_written():
    assert rows_of(xlsx(LINES)) == LINES


def test_workbook_takes_the_sheet_with_the_headers():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("说明").write_row(0, 0, ["姓名要写全", "手机"])
    page = book.add_worksheet("名单")
    for at, line in enumerate(LINES):
        page.write_row(at, 0, line)
    hidden = book.add_worksheet("旧名单")
    hidden.write_row(0, 0, [*HEADER, "身份证号"])
    hidden.hide()
    book.close()

    assert rows_of(out.getvalue()) == LINES


def test_workbook_that_begins_further_down_keeps_its_line_numbers():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(3, 2, HEADER)
    page.write_row(5, 2, LINES[1])
    book.close()

    assert rows_of(out.getvalue()) == [[], [], [], HEADER, [], LINES[1]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13900000001.0, "13900000001"),
        (
            110101199003071000.0,
            "1.10101199003071E+17",
        ),  # 18 figures do not survive in a number: seen as rounded
        (1.5, "1.5"),
        (True, "TRUE"),
        (None, ""),
        (float("nan"), ""),
        (date(1990, 3, 7), "1990-03-07"),
        (datetime(1990, 3, 7, tzinfo=UTC), "1990-03-07"),
        (datetime(1990, 3, 7, 8, 30, tzinfo=UTC), "1990-03-07 08:30:00+00:00"),
    ],
)
def test_cells_of_any_type_as_a_person_sees_them(value, text):
    assert text_of(value) == text


# ---- columns ----


@given(
    order=st.permutations(list(PERSONS.columns)), lang=st.lists(st.sampled_from(["zh", "en"]), min_size=14)
)
@settings(max_examples=60, deadline=None)
def test_columns_in_any_order_and_mixed_languages(order, lang):
    headers = [column.header(lang[at % len(lang)]) for at, column in enumerate(order)]

    columns = map_columns(headers, PERSONS.names, header_row=0)

    assert columns.unknown == columns.twice == ()
    assert [columns.places[column.key] for column in order] == list(range(len(order)))


@pytest.mark.parametrize(
    "header", ["姓 名", "姓名*", "*姓名", "姓名（必填）", "姓名：", "NAME", "Full name", " 名字 "]
)
def test_columns_are_known_however_they_are_decorated(header):
    assert map_columns([header], PERSONS.names, header_row=0).places == {"name": 0}


def test_columns_unknown_ones_are_told_and_blank_ones_passed_over():
    columns = map_columns(["姓名", "", "血型", "手机"], PERSONS.names, header_row=0)

    assert columns.unknown == ("血型",)
    assert columns.places == {"name": 0, "phone": 3}


def test_header_stands_below_titles():
    rows = [
        ["桥西社区人员台账"],
        ["填报人：", "手机"],
        [],
        ["序号", "姓名", "手机", "楼栋"],
        ["1", "王小明", "", ""],
    ]

    assert find_header(rows, PERSONS.names) == 3
    assert find_header([["甲", "乙"], ["丙"]], PERSONS.names) is None


def test_no_form_has_one_header_for_two_columns():
    from muster.register.importing.columns import header_key

    for form in FORMS.values():
        meant: dict[str, str] = {}
        for column in form.columns:
            for header in (column.zh, column.en):
                assert meant.setdefault(header_key(header), column.key) == column.key, (form.kind, header)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "import_file_empty"),
        (b" \r\n ", "import_file_empty"),
        (b"a\x00b", "import_not_a_table"),
        (b"%PDF-1.7\n\x80\x80\xff", "import_encoding_unknown"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "import_file_protected"),
        (b"PK\x03\x04" + bytes(100), "import_file_unreadable"),
        (xlsx(LINES)[:-40], "import_file_unreadable"),
        (archive({"word/document.xml": b"<w/>"}), "import_not_a_workbook"),
        (archive({"xl/workbook.xml": b"<nonsense"}), "import_file_unreadable"),
        (
            archive({"xl/workbook.xml": bytes(1), **{f"x{n}": b"" for n in range(1000)}}),
            "import_archive_too_big",
        ),
    ],
)
def test_what_is_no_list_is_refused_with_its_reason(raw, code):
    assert refusal_of(raw) == code


def test_bomb_is_refused_by_its_directory():
    bomb = archive({"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": bytes(60 << 20)})
    assert len(bomb) < 100_000

    assert refusal_of(bomb) == "import_archive_too_big"


def parts_of(workbook: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def bomb_of(mib: int, *, lies: bool) -> bytes:
    """A workbook of one sheet of so many MiB, whose directory may say that it is small."""
    row = b'<row><c t="inlineStr"><is><t>' + b"x" * 50 + b"</t></is></c></row>"
    parts = parts_of(xlsx(LINES))
    body, tail = parts[_SHEET].split(b"</sheetData>")
    parts[_SHEET] = body + row * (mib * (1 << 20) // len(row)) + b"</sheetData>" + tail
    raw = bytearray(archive(parts))
    real = len(parts[_SHEET]).to_bytes(4, "little")
    return bytes(raw.replace(real, (1000).to_bytes(4, "little"))) if lies else bytes(raw)


def test_bomb_whose_directory_lies_does_no_harm():
    bomb = bomb_of(60, lies=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(bomb) < 1 << 20
    check_archive(bomb)  # its directory is innocent

    assert refusal_of(bomb) in {"import_file_unreadable", "import_file_too_heavy"}
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10
    )  # KiB: this process notices nothing


def test_bomb_that_gets_past_the_directory_is_stopped_by_the_childs_memory():
    bomb = bomb_of(60, lies=False)

    limits = with_limits(unpacked_ratio=10_000, memory_bytes=120 << 20)

    assert refusal_of(bomb, limits) == "import_file_too_heavy"


def test_cell_in_the_last_corner_costs_nothing():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, HEADER)
    page.write(1_048_575, 16_383, "x")
    book.close()
    start = time.monotonic()

    assert refusal_of(out.getvalue()) == "import_file_too_heavy"
    assert time.monotonic() - start < 20


def test_child_that_computes_too_long_is_ended():
    slow = csv_file([HEADER, *([["王小明", "1", "x"]] * 400_000)])

    assert refusal_of(slow, with_limits(cpu_seconds=0)) == "import_file_too_heavy"


def test_child_that_hangs_is_ended_by_the_clock(monkeypatch):
    monkeypatch.setattr(reading, "_CHILD", "http.server")

    assert refusal_of(b"x", with_limits(wall_seconds=1)) == "import_file_too_heavy"


class FakeChild:
    """Answers frames, each after so many seconds; says whether it was ended."""

    def __init__(self, *, each_takes: float) -> None:
        body = msgspec.msgpack.encode({"rows": [["x"]]})
        self.stdout, self.ended = io.BytesIO((len(body).to_bytes(4, "big") + body) * 3), False
        self._read, self._takes = self.stdout.read, each_takes
        self.stdout = self

    def read(self, size):
        time.sleep(self._takes / 2)
        return self._read(size)

    def kill(self):
        self.ended = True


@pytest.mark.parametrize(("each_takes", "ended"), [(0.0, False), (0.4, True)])
def test_clock_runs_while_the_child_is_waited_for_and_not_while_its_rows_are_worked_on(each_takes, ended):
    """A long list on a busy machine is not too heavy; a child that keeps us waiting is ended."""
    child = FakeChild(each_takes=each_takes)
    answers = reading._Answers(child, 0.2)

    for _ in range(3):
        answers.next_frame()
        time.sleep(0.1)

    assert child.ended is ended


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (csv_file([HEADER, *([["王", "1", "x"]] * 60)]), "import_rows_too_many"),
        (csv_file([["姓名", *map(str, range(30))]]), "import_columns_too_many"),
        (b"x" * 5_000, "import_file_too_big"),
    ],
)
def test_sizes_are_bounded(raw, code):
    assert refusal_of(raw, with_limits(rows=30, columns=20, file_bytes=4_000)) == code


def test_endless_cell_is_cut():
    assert len(rows_of(csv_file([HEADER, ["x" * 30_000, "", "1"]]))[1][0]) == LIMITS.cell_characters


def test_entities_of_a_workbook_are_not_unfolded():
    laughs = (
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "'
        + b"&a;" * 1000
        + b'"><!ENTITY c "'
        + b"&b;" * 1000
        + b'">]>'
    )
    parts = parts_of(xlsx([HEADER, ["王小明", "1", "x"]]))
    strings = parts["xl/sharedStrings.xml"]
    parts["xl/sharedStrings.xml"] = strings.replace(b"<sst", laughs + b"<sst", 1).replace(
        "王小明".encode(), b"&c;"
    )
    try:
        rows = rows_of(archive(parts))
    except Refusal:
        return
    assert all(len(cell) < 1000 for row in rows for cell in row)


@given(raw=st.binary(max_size=2_000) | st.binary(max_size=500).map(lambda tail: b"PK\x03\x04" + tail))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_read_or_refused(raw):
    assert outcome_of(raw).startswith("import_")


@given(at=st.integers(0, 5_000), value=st.integers(0, 255))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_broken_workbook_is_read_or_refused(at, value):
    raw = bytearray(xlsx(LINES))
    raw[at % len(raw)] = value
    assert outcome_of(bytes(raw)).startswith("import_")
