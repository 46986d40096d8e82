# SPDX-License-Identifier: Apache-2.0
"""Lists over the API: upload, preview, write, take back, report, template, export; within one's own area."""

import io
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from muster.accounts.services import add_user, grant_role, make_token
from muster.base.clock import now as clock_now
from muster.flows import import_jobs
from muster.flows.import_jobs import next_job, run_job
from muster.register.import_models import ImportBatch
from muster.register.importing import uploads
from muster.register.importing.uploads import read_upload
from muster.register.models import Person
from muster.trail.models import Disclosure
from tests.register.list_files import csv_file, id_number, sheet_of, somebody, table
from tests.support.world import NOON

pytestmark = pytest.mark.django_db


def caller(world, role: str = "desk", place: int = 0, language: str = "zh") -> Client:
    """Somebody with a role over one community."""
    user = add_user(username=f"caller-{role}{place}", name=f"{role} {place}")
    area = world.communities[place]
    grant_role(user, role=role, at=NOON, area=area.id, area_path=area.path)
    token = make_token(user, name="test", at=clock_now())
    return Client(headers={"Authorization": f"Bearer {token}", "Accept-Language": language})


@pytest.fixture
def desk(world):
    return caller(world)


def upload(client: Client, *rows, kind: str = "persons", raw: bytes | None = None, **choices):
    file = SimpleUploadedFile("名单.csv", raw if raw is not None else csv_file(table(*rows)))
    return client.post("/api/v1/imports", {"kind": kind, "file": file, **choices})


def uploaded(client: Client, *rows, **choices) -> dict:
    answer = upload(client, *rows, **choices)
    assert answer.status_code == 200, answer.content
    return client.get(f"/api/v1/imports/{answer.json()['id']}").json()


def persons():
    return Person.objects.across(reason="count").filter(source="import")


def test_upload_is_previewed_and_nothing_is_written(desk):
    job = uploaded(desk, somebody("王小明", 手机="13900000001", 血型="A"), somebody("李小红", 手机="1"))

    assert (job["state"], job["progress"], job["by"]) == ("PREVIEWED", None, "desk 0")
    assert {k: job["counts"][k] for k in ("rows", "good", "bad", "new")} == {
        "rows": 2,
        "good": 1,
        "bad": 1,
        "new": 1,
    }
    assert job["unknown_columns"] == ["血型"]
    assert job["columns"] == ["姓名", "手机", "社区", "楼栋", "单元", "室号"]
    assert [(p["row"], p["verdict"], p["values"]["姓名"]) for p in job["preview"]] == [
        (2, "new", "王小明"),
        (3, "bad", "李小红"),
    ]
    (error,) = job["errors"]
    assert (error["row"], error["field"], error["code"]) == (3, "手机", "phone_shape")
    assert error["message"] == "这不像电话号码"
    assert error["cure"]
    assert not persons().exists()


def test_commit_writes_and_undo_takes_back(desk):
    job = uploaded(desk, somebody("王小明"))

    done = desk.post(f"/api/v1/imports/{job['id']}/commit").json()
    assert (done["state"], done["result"]["added_person"], persons().count()) == ("COMMITTED", 1, 1)

    undone = desk.post(f"/api/v1/imports/{job['id']}/undo").json()
    assert (undone["state"], persons().count()) == ("UNDONE", 0)
    assert undone["result"]["undo"]["removed_person"] == 1


def test_known_person_is_shown_beside_the_line_and_stays_masked(desk):
    first = uploaded(desk, somebody("王小明", 身份证号=id_number(), 手机="13900000001"))
    desk.post(f"/api/v1/imports/{first['id']}/commit")

    job = uploaded(desk, somebody("王小明", 身份证号=id_number(), 手机="13900000002"))

    (known,) = job["duplicates"]
    assert (known["row"], known["verdict"], known["reason"]) == (2, "duplicate", "证件号码相同")
    assert known["coming"]["手机"] == "13900000002"
    assert known["here"]["手机"] == "139****0001"
    assert known["here"]["姓名"] == "王小明"  # as the line says it: no news to its maker


def test_somebody_much_like_a_known_person_is_shown_and_added(desk):
    first = uploaded(desk, somebody("王小明", 身份证号=id_number()))
    desk.post(f"/api/v1/imports/{first['id']}/commit")

    job = uploaded(desk, somebody("王小明", 身份证号=id_number(born="20100101")))

    (alike,) = job["duplicates"]
    assert (alike["verdict"], alike["reason"], alike["here"]["身份证号"][:4]) == (
        "new",
        "同一户内同名",
        "****",
    )
    assert job["counts"]["new"] == 1


def test_person_of_another_area_is_not_shown(desk, world):
    other = caller(world, place=1)
    theirs = uploaded(other, somebody("王小明", community="2社区", 身份证号=id_number()))
    other.post(f"/api/v1/imports/{theirs['id']}/commit")

    (alike,) = uploaded(desk, somebody("王小明", 身份证号=id_number()))["duplicates"]

    assert (alike["id"], alike["here"]) == ("", {})


def test_bad_cell_is_shown_as_it_was_written(desk):
    job = uploaded(desk, somebody("李小红", 手机="12-34"))

    assert job["preview"][0]["values"]["手机"] == "12-34"


def test_update_is_a_choice_of_the_upload(desk):
    first = uploaded(desk, somebody("王小明", 身份证号=id_number()))
    desk.post(f"/api/v1/imports/{first['id']}/commit")

    job = uploaded(desk, somebody("王小明", 身份证号=id_number(), 手机="13900000002"), update="true")
    assert job["counts"]["changed"] == 1
    desk.post(f"/api/v1/imports/{job['id']}/commit")

    assert persons().get().phone == "13900000002"


def test_report_comes_as_a_workbook(desk):
    job = uploaded(desk, somebody("李小红", 手机="1"))

    answer = desk.get(f"/api/v1/imports/{job['id']}/report.xlsx")

    assert answer["Cache-Control"] == "no-store"
    assert sheet_of(answer.content)[1][0] == "李小红"


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_template_comes_in_the_readers_language(world, form):
    english = caller(world, language="en")

    answer = english.get(f"/api/v1/imports/template/persons.{form}")

    assert answer.status_code == 200
    assert f'filename="persons-template.{form}"' in answer["Content-Disposition"]
    first = (
        sheet_of(answer.content)[0]
        if form == "xlsx"
        else answer.content.decode("utf-8-sig").splitlines()[0].split(",")
    )
    assert first[:3] == ["Name", "Id number", "Phone"]


def test_export_holds_ones_own_area_and_is_recorded(desk, world):
    answer = desk.get(f"/api/v1/exports/persons.xlsx?grid={world.grids[0].id}")

    rows = sheet_of(answer.content)
    assert len(rows) == 9
    assert {row[rows[0].index("社区")] for row in rows[1:]} == {"1社区"}
    assert Disclosure.objects.get().rows == 8
    assert len(sheet_of(desk.get("/api/v1/exports/persons.xlsx").content)) == 17


def test_list_shows_the_imports_of_ones_own_area(desk, world):
    uploaded(desk, somebody("王小明"))
    other = caller(world, place=1)

    assert [job["file_name"] for job in desk.get("/api/v1/imports").json()["items"]] == ["名单.csv"]
    assert other.get("/api/v1/imports").json()["items"] == []


@pytest.mark.parametrize("way", ["", "/commit", "/undo", "/report.xlsx"])
def test_import_of_another_area_does_not_exist(desk, world, way):
    job = uploaded(desk, somebody("王小明"))
    other = caller(world, place=1)

    path = f"/api/v1/imports/{job['id']}{way}"
    answer = other.post(path) if way in ("/commit", "/undo") else other.get(path)

    assert answer.status_code == 404
    assert not persons().exists()


@pytest.mark.parametrize("role", ["worker", "grid_head", "supervisor", "command"])
def test_roles_without_the_right_are_refused(world, role):
    client = caller(world, role=role)

    assert upload(client, somebody("王小明")).status_code == 403
    assert client.get("/api/v1/exports/persons.csv").status_code == 403
    assert client.get("/api/v1/imports").status_code == 403


def test_district_may_bring_in_but_not_take_out(world):
    client = caller(world, role="district")

    assert upload(client, somebody("王小明")).status_code == 200
    assert client.get("/api/v1/exports/persons.csv").status_code == 403


def test_nobody_may_do_anything_unsigned():
    client = Client()

    assert client.get("/api/v1/imports").status_code == 401
    assert client.post("/api/v1/imports").status_code == 401


@pytest.mark.parametrize(
    ("choices", "raw", "code"),
    [
        ({"kind": "cats"}, None, "import_kind_unknown"),
        ({"incident": str(uuid.uuid4())}, None, "incident_unknown"),
        ({"kind": ""}, None, "import_kind_unknown"),
        ({"update": "perhaps"}, None, "input_bad"),
    ],
)
def test_bad_upload_is_a_problem_with_its_code(desk, choices, raw, code):
    answer = upload(desk, somebody("王小明"), raw=raw, **choices)

    assert answer.status_code in (404, 422)
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"] == code
    assert not ImportBatch.objects.exists()


def test_upload_without_a_file_is_refused(desk):
    assert desk.post("/api/v1/imports", {"kind": "persons"}).status_code == 422


def test_file_that_cannot_be_taken_fails_in_words(desk):
    job = uploaded(desk, raw=b"\x00\x01\x02\x03")

    assert job["state"] == "FAILED"
    assert job["problem"].startswith("这不是表格文件。")
    assert desk.post(f"/api/v1/imports/{job['id']}/commit").json()["code"] == "import_not_ready"
    assert desk.get(f"/api/v1/imports/{job['id']}/report.xlsx").json()["code"] == "import_not_ready"


@pytest.mark.parametrize("path", ["exports/persons.pdf", "exports/cats.csv", "imports/template/persons.doc"])
def test_forms_that_are_not_known_are_refused(desk, path):
    assert desk.get(f"/api/v1/{path}").status_code in (404, 422)


# ---- large lists: the worker does them ----


@pytest.fixture
def everything_is_large(monkeypatch):
    monkeypatch.setattr(import_jobs, "SMALL_BYTES", 0)
    monkeypatch.setattr(import_jobs, "SMALL_ROWS", 0)


def work() -> None:
    batch = next_job(at=clock_now())
    assert batch is not None
    run_job(batch, now=clock_now)


def test_large_list_waits_for_the_worker_with_its_progress(desk, everything_is_large):
    job = uploaded(desk, somebody("王小明"))
    assert (job["state"], job["stage"], job["progress"]) == ("UPLOADED", "to_check", {"done": 0, "total": 0})

    work()
    job = desk.get(f"/api/v1/imports/{job['id']}").json()
    assert (job["state"], job["stage"], job["progress"]) == ("PREVIEWED", "", None)

    desk.post(f"/api/v1/imports/{job['id']}/commit")
    assert not persons().exists()
    work()
    assert persons().count() == 1

    desk.post(f"/api/v1/imports/{job['id']}/undo")
    work()
    assert not persons().exists()
    assert next_job(at=clock_now()) is None


def test_waiting_file_lies_sealed_and_goes_when_it_is_read(desk, everything_is_large, tmp_path, settings):
    job = uploaded(desk, somebody("王秘密"))
    path = uploads._path(uuid.UUID(job["id"]))
    assert "秘密".encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert "秘密".encode() in read_upload(ImportBatch.objects.get())

    work()

    assert not path.exists()


def test_file_that_nobody_settled_goes_within_a_week(desk, everything_is_large):
    job = uploaded(desk, somebody("王秘密"))
    path = uploads._path(uuid.UUID(job["id"]))

    assert import_jobs.forget_old(at=clock_now() + timedelta(days=6)) == 0
    assert path.exists()
    assert import_jobs.forget_old(at=clock_now() + timedelta(days=8)) == 1
    assert not path.exists()
    assert not ImportBatch.objects.exists()


def test_job_of_a_process_that_died_is_taken_up_when_its_claim_has_run_out(desk, everything_is_large):
    job = uploaded(desk, somebody("王小明"))
    work()
    desk.post(f"/api/v1/imports/{job['id']}/commit")
    at = clock_now()
    ImportBatch.objects.update(stage="committing", claimed_until=at + timedelta(seconds=30))

    assert next_job(at=at) is None
    assert next_job(at=at + timedelta(seconds=31)) == uuid.UUID(job["id"])
    run_job(uuid.UUID(job["id"]), now=lambda: at + timedelta(seconds=31))
    assert persons().count() == 1


def test_second_wish_while_one_is_under_way_is_told_to_wait(desk, everything_is_large):
    job = uploaded(desk, somebody("王小明"))
    work()
    ImportBatch.objects.update(stage="committing")

    assert desk.post(f"/api/v1/imports/{job['id']}/commit").json()["code"] == "import_busy"


def test_uploaded_bytes_are_bounded(desk, monkeypatch):
    from muster.api import imports
    from muster.register.importing.limits import Limits

    monkeypatch.setattr(imports, "LIMITS", Limits(file_bytes=10))

    assert upload(desk, somebody("王小明")).json()["code"] == "import_file_too_big"


def test_stream_of_an_export_is_safe_to_open(desk, world):
    Person.objects.across(reason="count").filter(id=world.persons[0].id).delete()
    job = uploaded(desk, somebody("王小明", 备注="=1+1"))
    desk.post(f"/api/v1/imports/{job['id']}/commit")

    text = io.TextIOWrapper(io.BytesIO(desk.get("/api/v1/exports/persons.csv").content), "utf-8-sig").read()

    assert "'=1+1" in text
