# SPDX-License-Identifier: Apache-2.0
"""`muster template | import | undo-import | export`: 2 and one line for bad input, good rows in anyway."""

import sys

import pytest
from django.apps import apps

from muster.accounts.services import add_user, grant_role
from muster.cli import main as console
from muster.register.import_models import ImportBatch
from muster.register.importing import committing
from muster.register.importing.persons import Persons
from muster.register.models import Person
from muster.trail.models import Disclosure, Event
from tests.register.list_files import csv_file, id_number, sheet_of, somebody, table, xlsx
from tests.support.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def chinese_terminal(monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")


@pytest.fixture
def muster(monkeypatch, capsys):
    """Runs the program; answers exit code, output and the line on stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["muster", *map(str, arguments)])
        capsys.readouterr()
        try:
            console.main()
        except SystemExit as end:
            said = capsys.readouterr()
            return int(end.code or 0), said.out, said.err
        said = capsys.readouterr()
        return 0, said.out, said.err

    return run


@pytest.fixture
def file_of(tmp_path):
    def write(*rows, name: str = "list.csv"):
        path = tmp_path / name
        raw = table(*rows)
        path.write_bytes(xlsx(raw) if name.endswith("xlsx") else csv_file(raw))
        return path

    return write


def persons():
    return Person.objects.across(reason="count").filter(source="import")


def everything_written() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def test_import_brings_a_list_in(world, muster, file_of):
    code, out, err = muster(
        "import", "persons", file_of(somebody("王小明"), somebody("李小红"), name="list.xlsx")
    )

    assert (code, err) == (0, "")
    assert "added_person=2" in out
    assert persons().count() == 2
    assert Event.objects.get(entity="ImportBatch").actor is not None


def test_import_with_mistakes_ends_with_2_and_one_line_and_good_rows_in(world, muster, file_of, tmp_path):
    lines = [somebody("王小明"), somebody("李小红", 手机="1")]

    code, _, err = muster("import", "persons", file_of(*lines), "--report", tmp_path / "back.xlsx")

    assert code == 2
    assert err == f"2 行里有 1 行需要修改，其余已处理，见 {tmp_path / 'back.xlsx'}\n"
    assert [p.name for p in persons()] == ["王小明"]
    assert sheet_of((tmp_path / "back.xlsx").read_bytes())[1][0] == "李小红"


def test_import_without_a_report_says_how_to_get_one(world, muster, file_of):
    code, _, err = muster("import", "persons", file_of(somebody("李小红", 手机="1")), "--lang", "en")

    assert code == 2
    assert err.count("\n") == 1
    assert "--report" in err


def test_dry_run_changes_nothing_and_reports_all_the_same(world, muster, file_of, tmp_path):
    lines = [somebody("王小明"), somebody("李小红", 手机="1")]
    before = everything_written()

    code, out, err = muster(
        "import", "persons", file_of(*lines), "--dry-run", "--report", tmp_path / "back.xlsx"
    )

    assert code == 2
    assert err.startswith("试运行：2 行里有 1 行需要修改")
    assert "new=1" in out
    assert everything_written() == before
    assert sheet_of((tmp_path / "back.xlsx").read_bytes())[1][0] == "李小红"


def test_dry_run_of_a_good_list_ends_well(world, muster, file_of):
    assert muster("import", "persons", file_of(somebody("王小明")), "--dry-run")[0] == 0
    assert not persons().exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "cats", "{list}"), "没有“cats”这种名单"),
        (("import", "persons", "nowhere.csv"), "nowhere.csv"),
        (("import", "persons", "{list}", "--as", "nobody"), "nobody"),
        (("import", "persons", "{list}", "--incident", "x"), "事件"),
        (("import", "persons", "{list}", "--lang", "fr"), "fr"),
        (("export", "persons", "out.pdf"), ".xlsx"),
        (("export", "persons", "out.csv", "--area", "no"), "没有这个区域"),
        (("undo-import", "x"), "没有找到"),
        (("template", "persons", "t.doc"), ".xlsx"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(world, muster, file_of, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    path = file_of(somebody("王小明"))

    code, _, err = muster(*[str(path) if a == "{list}" else a for a in arguments])

    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert {p.name for p in tmp_path.iterdir()} == {"list.csv"}  # nothing half-written


def test_columns_that_are_not_used_are_told(world, muster, file_of):
    _, out, _ = muster("import", "persons", file_of(somebody("王小明", 血型="A")))

    assert "没有用到的列：血型" in out


def test_update_and_created_doors_are_asked_for(world, muster, file_of):
    muster(
        "import", "persons", file_of(somebody("王小明", room="999", 身份证号=id_number())), "--create-doors"
    )
    path = file_of(somebody("王小明", room="999", 身份证号=id_number(), 手机="13900000001"))

    muster("import", "persons", path)
    assert persons().get().phone is None
    muster("import", "persons", path, "--update")
    assert persons().get().phone == "13900000001"


def test_interrupted_import_goes_on_when_it_is_asked_for_again(world, muster, file_of, monkeypatch):
    monkeypatch.setattr(Persons, "chunk_rows", 2)
    path = file_of(*[somebody(f"王{n}", 身份证号=id_number(serial=100 + n)) for n in range(6)])
    written, calls = committing._write_next, iter(range(9))

    def interrupt(*args, **more):
        if next(calls) == 2:
            raise KeyboardInterrupt
        written(*args, **more)

    monkeypatch.setattr(committing, "_write_next", interrupt)
    code, _, _ = muster("import", "persons", path)
    assert code not in (0, 2)
    assert persons().count() == 4

    code, _, _ = muster("import", "persons", path)

    assert (code, persons().count(), ImportBatch.objects.count()) == (0, 6, 1)


def test_undo_takes_the_import_back(world, muster, file_of):
    _, out, _ = muster("import", "persons", file_of(somebody("王小明")))
    batch = out.split("import=")[1].split()[0]

    code, out, _ = muster("undo-import", batch)

    assert code == 0
    assert "removed_person=1" in out
    assert not persons().exists()


def test_named_operator_acts_within_his_grants(world, muster, file_of, tmp_path):
    desk = add_user(username="desk1", name="社区一")
    grant_role(desk, role="desk", at=NOON, area=world.communities[0].id, area_path=world.communities[0].path)
    path = file_of(somebody("王小明"), somebody("李小红", community="2社区"))

    code, _, _ = muster("import", "persons", path, "--as", "desk1")
    assert code == 2
    assert [p.name for p in persons()] == ["王小明"]
    assert ImportBatch.objects.get().made_by == desk.id

    muster("export", "persons", tmp_path / "out.csv", "--as", "desk1")
    assert "2社区" not in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    assert {d.actor for d in Disclosure.objects.all()} == {desk.id}


def test_operator_without_the_role_is_refused(world, muster, file_of):
    code, _, err = muster("import", "persons", file_of(somebody("王小明")), "--as", "worker0")

    assert code == 2
    assert err.count("\n") == 1
    assert not persons().exists()


def test_template_filled_in_comes_in(world, muster, tmp_path):
    assert muster("template", "persons", tmp_path / "t.csv")[0] == 0
    text = (tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines()
    cells = dict.fromkeys(text[0].split(","), "") | {
        "姓名": "王小明", "社区": "1社区", "楼栋": "1号楼", "单元": "1", "室号": "101",
    }  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join([*text, ",".join(cells.values())]), encoding="utf-8")

    code, out, _ = muster("import", "persons", tmp_path / "t.csv")

    assert code == 0
    assert "new=1" in out


def test_export_masked_and_with_hashtags(world, muster, tmp_path):
    code, out, _ = muster(
        "export", "persons", tmp_path / "o.csv", "--masked", "--hxl", "--grid", "G11", "--lang", "en"
    )

    lines = (tmp_path / "o.csv").read_text(encoding="utf-8-sig").splitlines()
    assert code == 0
    assert out.strip().endswith("· 8")
    assert lines[0].startswith("Name,Id number,Phone")
    assert lines[1].startswith("#contact+name")
    assert "138****0001" in lines[2]
