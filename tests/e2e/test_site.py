# SPDX-License-Identifier: Apache-2.0
"""A site that lives alone: a laptop, ten phones, real TLS, a line that is cut and comes back."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Playwright, expect

from muster.base.ids import new_id
from muster.cli.archive import copy_sqlite
from muster.drill.device import DeviceClient, subject
from tests.conftest import REPOSITORY
from tests.e2e.test_https import key_hash
from tests.support.browser import chromium_path, launch, missing
from tests.support.browser import phone as phone_page
from tests.support.country import CITY_NUMBER, NAME, Country, country, one_name
from tests.support.field import SENDS_MS, FieldPhone
from tests.support.house import House, until
from tests.support.isolated import why_not

pytestmark = [pytest.mark.browser]
PASSPHRASE = "four words for tests"
SITE_PHONES = 3
LATE_PHONES = 2
EARLY_PHONES = 5
DAYS = 3


@dataclass
class Story:
    """What the tests below read from: one run, told once."""

    land: Country
    city: House
    site: House
    before: Path
    phones: list[DeviceClient] = field(default_factory=list)
    recorded: dict[str, set[str]] = field(default_factory=dict)
    books: dict[str, Any] = field(default_factory=dict)
    site_books: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        return {one for ids in self.recorded.values() for one in ids}


@pytest.fixture(scope="module")
def land() -> Iterator[Country]:
    reason = why_not()
    if "root" in reason:
        pytest.skip(reason)
    if reason:
        missing(reason)
    with country() as made, one_name():
        yield made


@pytest.fixture(scope="module")
def story(
    land: Country, staged: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("far")
    city = House.of(staged("generated"), folder / "city")
    city.host, city.prefix = NAME, land.city.prefix
    city.muster("tls", "init", "--host", NAME)
    city.more = _tls(city.folder) | {"MUSTER_SITE_PASSPHRASE": PASSPHRASE}
    city.authority = city.folder / "tls" / "ca.pem"
    site = House(folder / "site", city.port, city.intake_port, host=NAME, prefix=land.site.prefix)
    site.authority = city.authority
    told = Story(land, city, site, folder / "before")
    try:
        yield told
    finally:
        city.stop()
        site.stop()


@pytest.fixture(scope="module")
def trusting(
    playwright: Playwright, story: Story, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser on a phone: it stands where the phones stand and believes the city's authority."""
    program = story.land.phones.launcher(chromium_path(), tmp_path_factory.mktemp("program"))
    hashes = key_hash(story.city.folder / "tls" / "ca.pem")
    browser = launch(playwright, f"--ignore-certificate-errors-spki-list={hashes}", program=program)
    yield browser
    browser.close()


def _tls(folder: Path) -> dict[str, str]:
    tls = folder / "tls"
    return {"MUSTER_TLS_CERT": str(tls / "cert.pem"), "MUSTER_TLS_KEY": str(tls / "key.pem")}


def _phone(story: Story, name: str, code: str) -> DeviceClient:
    trust = ssl.create_default_context(cafile=story.city.authority)
    client = DeviceClient(story.city.origin, name, httpx.Client(verify=trust, timeout=30))
    client.enrol(code)
    story.phones.append(client)
    return client


def _ask(story: Story, house: House, method: str, path: str, body: Any = None) -> Any:
    """The desk of a house asks its own house."""
    if house is story.city:
        token = house.demo["logins"]["grid_head"]["token"]
    else:
        token = story.told.setdefault("token", "") or house.muster("token", "site", "--role", "desk").strip()
        story.told["token"] = token
    trust = ssl.create_default_context(cafile=house.authority)
    place = story.land.city if house is story.city else story.land.site
    with place.entered(), httpx.Client(verify=trust, timeout=30) as http:
        headers = {"Authorization": f"Bearer {token}"}
        answer = http.request(method, f"{house.origin}/api/v1{path}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _code(story: Story, house: House, grid: int) -> str:
    told = _ask(story, house, "POST", f"/grids/{grid}/enrol-codes", {"worker_name": "网格员"})
    return str(told["code"])


def _standing(story: Story) -> dict[str, Any]:
    told: dict[str, Any] = _ask(story, story.site, "GET", "/sites")["home"]
    return told


def _work(story: Story, phone: DeviceClient, number: int, page: dict[str, Any], *, day: int) -> None:
    """What one worker records on one day: doors of his own, somebody new, something taken back."""
    at = datetime.now(UTC) - timedelta(days=DAYS - day, minutes=5)
    round_ = page["rounds"][0]["id"]
    persons = [p for p in page["persons"] if p["listed"]]
    mine = persons[(number * DAYS + day) * 4 :][:4]
    homes = {door["id"]: door for door in page["doors"]}
    ids = story.recorded.setdefault(phone.device, set())
    outcomes = [o["code"] for o in page["rounds"][0]["kind"]["outcomes"]]
    for step, person in enumerate(mine):
        here = subject(homes[person["dwelling"]]["sub_district"], person=person["id"])
        body = {"round": round_, "outcome": outcomes[(number + step) % len(outcomes)]}
        ids.add(phone.record("entry.outcome", here, body, at=at + timedelta(minutes=step)))
    # Everybody passes the same door: what wins must be the same in both houses.
    first = persons[0]
    here = subject(homes[first["dwelling"]]["sub_district"], person=first["id"])
    last = phone.record("entry.outcome", here, {"round": round_, "outcome": outcomes[0]}, at=at)
    ids.add(last)
    if number % 3 == day:
        ids.add(
            phone.record("fact.undone", here, {"round": round_, "fact": last}, at=at + timedelta(minutes=9))
        )
    if number % 4 == day:
        door = next(iter(homes.values()))
        body = {"round": round_, "person": str(new_id()), "name": f"演新{number}"}
        ids.add(phone.record("person.found", subject(door["sub_district"], dwelling=door["id"]), body, at=at))


def _exchange(story: Story, phones: list[DeviceClient], *, what: str) -> None:
    """Every phone of these sends until it has a verdict on all that it recorded."""

    def quiet() -> bool:
        for phone in phones:
            phone.send(at=datetime.now(UTC), clock=time.monotonic())
            phone.pull()
        return all(not phone.outbox for phone in phones)

    with story.land.phones.entered():
        until(quiet, what=what, seconds=60)


def _copy(folder: Path, copy: Path) -> None:
    """The folder of a running house, each of its databases whole."""
    for path in (one for one in folder.rglob("*") if one.is_file()):
        if path.name.endswith(("-wal", "-shm")):
            continue
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in {".sqlite3", ".db"}:
            copy_sqlite(path, target)
        else:
            shutil.copy2(path, target)


def _books(house: House, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.books", *words],
        env=house.environment | {"DJANGO_SETTINGS_MODULE": "muster.config.settings", "PYTHONPATH": "src:."},
        cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_laptop_becomes_a_site_and_phones_notice_nothing(story: Story, trusting: Browser) -> None:
    city, site, land = story.city, story.site, story.land
    grid = city.demo["logins"]["grid_head"]["grid"]
    with land.city.entered():
        city.start()
    codes = [_code(story, city, grid) for _ in range(EARLY_PHONES + LATE_PHONES + 2)]
    device = story.told["device"] = phone_page(trusting, "zh")
    worker = story.told["worker"] = FieldPhone(device.page(), "zh")
    worker.enrol(f"{city.origin}/field/?code={codes.pop()}")
    worker.is_offline_ready()
    device.deaf = True
    with land.phones.entered():
        early = [_phone(story, f"early {n}", codes.pop()) for n in range(EARLY_PHONES)]
        # Before the line is cut the city knows a little already.
        page = early[0].pull()
        assert page is not None
        _work(story, early[0], 9, page, day=0)
    _exchange(story, early, what="the city gives verdicts")
    bundle = city.folder.parent / "village.site"
    city.muster(
        "site", "prepare", str(bundle), "--grid", str(grid), "--name", "东沟村", "--address", CITY_NUMBER
    )
    with land.phones.entered():
        for n in range(LATE_PHONES):
            _phone(story, f"late {n}", codes.pop())
        # One that stays in the city all the while.
        story.told["stays"] = _phone(story, "stays", codes.pop())
        story.phones.pop()
    land.cut()
    _copy(city.folder, story.before)

    site.more = {"MUSTER_SITE_PASSPHRASE": PASSPHRASE}
    site.muster("site", "open", str(bundle))
    site.more = _tls(site.folder)
    land.go("site")
    with land.site.entered():
        site.start()
    codes = [_code(story, site, grid) for _ in range(SITE_PHONES)]
    with land.phones.entered():
        for n in range(SITE_PHONES):
            _phone(story, f"site {n}", codes.pop())
        pages = [phone.pull() for phone in story.phones]

    assert len(story.phones) == 10
    assert all(page is not None and page["full"] for page in pages)
    story.told["page"] = pages[0]
    listed = {len(page["persons"]) for page in pages if page}
    assert len(listed) == 1
    assert listed != {0}


def test_the_site_serves_for_days(story: Story) -> None:
    page = story.told["page"]
    for day in range(DAYS):
        for number, phone in enumerate(story.phones):
            _work(story, phone, number, page, day=day)
        _exchange(story, story.phones, what=f"the site gives verdicts on day {day}")

    until(lambda: _standing(story)["waiting"] >= 3 * len(story.phones), what="the site counts what waits")
    told = _standing(story)
    assert told["trouble"] == "line_cut"
    assert told["waiting_since"] is not None
    assert told["reached_at"] is None
    refused = subprocess.run(
        [*story.site.prefix, sys.executable, "-m", "muster.cli.main", "site", "close"],
        env=story.site.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "have not reached the city" in refused.stderr


def test_a_real_browser_goes_on_at_the_site(story: Story) -> None:
    """It joined in the city, and all it sees is that its network was away for a while."""
    worker: FieldPhone = story.told["worker"]
    worker.page.reload()
    with worker.door(worker.untouched.first) as sheet:
        tried = worker.nobody_answers(sheet)
    worker.expect_sent()
    worker.go("me")
    expect(worker.counts().nth(2)).to_have_text(str(tried), timeout=SENDS_MS)
    story.told["tried"] = tried


def test_what_was_recorded_without_any_network_comes_as_a_file(story: Story) -> None:
    worker: FieldPhone = story.told["worker"]
    page = worker.page
    story.land.go("nowhere")
    worker.go("today")
    with worker.door(worker.untouched.last) as sheet:
        more = worker.nobody_answers(sheet)
    worker.go("me")
    page.get_by_role("button", name="没有网络，托人带走", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="存成文件或发送", exact=True).click()
    file = json.loads(Path(download.value.path()).read_text())
    assert "演" not in json.dumps(file, ensure_ascii=False)

    told = [_ask(story, story.site, "POST", "/fact-files", file)["phones"] for _ in range(2)]
    (mine,) = told[0]
    assert mine["refused"] == []
    assert len(mine["facts"]) == more
    asked = {"phones": [{"device": mine["device"], "facts": mine["facts"]}]}

    def folded() -> bool:
        (answer,) = _ask(story, story.site, "POST", "/fact-files/verdicts", asked)["phones"]
        return bool(answer["verdicts"].get("APPLIED", 0) == more)

    until(folded, what="the site folds what came as a file")
    # The phone kept all of it until now; its own verdict comes when it is back.
    story.land.go("site")
    page.locator(".f-sheet-tall .f-sheet-head").get_by_label("关闭").click()
    page.reload()
    expect(worker.counts().nth(2)).to_have_text(str(story.told["tried"] + more), timeout=SENDS_MS)
    expect(worker.counts().nth(0)).to_have_text("0", timeout=SENDS_MS)
    # Handed in once more, by another worker's phone: taken, and counted once all the same.
    carrier = story.phones[0]
    with story.land.phones.entered():
        answer = carrier.http.post(
            f"{carrier.web}/sync/v1/carried",
            json=file,
            headers={"Authorization": f"Bearer {carrier.lease}"},
        )
    assert answer.status_code == 200, answer.text
    assert answer.json()["phones"][0]["batches"] == mine["batches"]
    ids = set(mine["facts"])
    story.recorded.setdefault(mine["device"], set()).update(ids)


def test_the_line_returns_and_every_fact_is_in_the_city_once(story: Story) -> None:
    land, city, site = story.land, story.city, story.site
    # Meanwhile the city went on, in the same grid.
    stays = story.told["stays"]
    land.go("city")
    with land.phones.entered():
        page = stays.pull()
    _work(story, stays, len(story.phones), page, day=0)
    _exchange(story, [stays], what="the city gives verdicts again")
    land.go("site")
    land.heal()
    # The battery is out while it takes and passes on: what has no mark is sent again.
    for number, phone in enumerate(story.phones[:5]):
        _work(story, phone, number + 20, story.told["page"], day=0)
        with land.phones.entered():
            phone.send(at=datetime.now(UTC), clock=time.monotonic(), twice=True)
    site.cut()
    with land.site.entered():
        site.start()
    _exchange(story, story.phones, what="the site goes on")

    def nothing_waits() -> bool:
        told = _standing(story)
        return told["waiting"] == 0 and told["brought_at"] is not None and told["stuck"] == 0

    until(nothing_waits, what="the site passes all on", seconds=90)
    # One phone walked to the city and sends the same facts there: counted once all the same.
    wanderer = story.phones[-1]
    land.go("city")
    sent = _books(site)["journal"]
    again = next(row for row in sent if row["device"] == wanderer.device)
    with land.phones.entered():
        answer = wanderer.http.post(
            f"{wanderer.intake}/v1/batches", content=base64.b64decode(again["body"]),
            headers={
                "Authorization": f"Bearer {again['lease']}",
                "Muster-Signature": f"{again['alg']}={_url(again['signature'])}",
            },
        )  # fmt: skip
        assert answer.status_code == 200
        wanderer.cursor = ""
        page = until(lambda: wanderer.pull(), what="the city answers the site's phone", seconds=120)
    city.verify()
    site.verify()
    story.books, story.site_books = _books(city), _books(site)

    told = [fact for fact in story.books["facts"] if fact[2] in story.ids]
    assert {fact[2] for fact in told} == story.ids
    assert len(told) == len(story.ids)
    assert {verdict["id"] for verdict in page["verdicts"]} >= story.recorded[wanderer.device]
    assert story.books["second_copies"] == 0


def _url(text: str) -> str:
    return text.replace("+", "-").replace("/", "_").rstrip("=")


def test_batches_ids_and_signatures_are_the_same_on_both_hops(story: Story) -> None:
    keys = ("batch", "device", "lease", "alg", "signature", "sha256", "body")
    there = {tuple(row[k] for k in keys) for row in story.site_books["journal"]}
    here = {tuple(row[k] for k in keys) for row in story.books["journal"]}

    assert there
    assert there <= here
    # The city holds the site's own word for each of them.
    assert {row["batch"] for row in story.site_books["journal"]} == set(story.books["receipts"])


def test_the_city_is_as_if_it_had_never_been_cut(story: Story, tmp_path: Path) -> None:
    """An untouched copy of the city takes in each batch once, in another order, with nothing between."""
    oracle = House(story.before, story.city.port, story.city.intake_port, host=NAME)
    rows = {row["batch"]: row for row in reversed(story.books["journal"])}
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(sorted(rows.values(), key=lambda row: row["sha256"])))

    told = _books(oracle, str(file))

    for part in ("entries", "doors", "found"):
        assert told[part] == story.books[part], part
    assert [f[:3] + f[4:] for f in told["facts"]] == [f[:3] + f[4:] for f in story.books["facts"]]


def test_both_houses_hold_the_same(story: Story) -> None:
    grid = story.city.demo["logins"]["grid_head"]["grid"]

    def of_grid(books: dict[str, Any], part: str) -> list[Any]:
        return [row for row in books[part] if row[2] == grid]

    for part in ("entries", "doors"):
        assert of_grid(story.books, part) == of_grid(story.site_books, part)
