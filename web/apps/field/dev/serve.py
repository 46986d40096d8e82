# SPDX-License-Identifier: Apache-2.0
"""A small pretend server to look at the field app with: made-up doors and people, receipts and verdicts in memory.

Not shipped, not a model of the rules. `python web/apps/field/dev/serve.py --pack flood --people 300 --port 8090`,
then open http://127.0.0.1:8090/field/?code=AAAA-0001 (any code of that shape works).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import mimetypes
import random
import time
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muster import packs
from muster.base.crypto.signing import b64url, ed25519_jwk

BUILT = Path(__file__).resolve().parents[4] / "src" / "muster" / "static" / "app" / "field"
KEY = Ed25519PrivateKey.generate()
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂兰玉萍红梅建华志国庆春燕小雨子轩欣怡浩然思远"
FIRST = "Alice Ben Chloe Dev Ella Femi Grace Hamid Isla Jack Kofi Lena Mo Nadia Owen Priya Quinn Rosa Sam Tess".split()
LAST = "Ahmed Baker Clarke Diaz Evans Fraser Gill Hughes Ito Jones Khan Lewis Moss Nowak Okoro Patel Reid Shaw".split()
SERVICES = {
    "epidemic-zh": ["door_visit", "two_people", "call_first", "bring"],
    "flood": ["carry", "two_people", "call_first"],
}


# What nobody has for this phone: no place, no tasks, no trips, no messages.
NOTHING = {"items": [], "next": None, "count": 0}
QUIET = {
    "/sync/v1/duty": {"duty": None},
    "/sync/v1/trips": NOTHING,
    "/sync/v1/messages": {**NOTHING, "unseen": 0},
}


def new_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=(rng.getrandbits(128) & ~(0xF << 76) | (7 << 76)) & ~(3 << 62) | (2 << 62)))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Town:
    """The rows of one grid, and what was reported about them."""

    def __init__(self, pack: str, kinds: list[str], people: int, seed: int, *, real: bool = False) -> None:
        self.real = real
        rng = random.Random(seed)
        self.pack, self.rng, self.started = packs.load(pack), rng, time.monotonic()
        self.is_chinese = pack != "flood"
        self.buildings: list[dict[str, Any]] = []
        self.doors: list[dict[str, Any]] = []
        self.households: list[dict[str, Any]] = []
        self.persons: list[dict[str, Any]] = []
        self.codes = SERVICES[pack]
        while len(self.persons) < people:
            self.add_building()
        self.rounds = [self.round(kind, n) for n, kind in enumerate(kinds)]
        self.entries = [entry for one in self.rounds for entry in self.roster(one)]
        self.journal: list[dict[str, Any]] = []
        self.verdicts: list[tuple[int, str, dict[str, Any]]] = []
        self.changed: list[tuple[int, str, dict[str, Any]]] = []
        self.revision = 1
        self.devices: dict[str, str] = {}

    def add_building(self) -> None:
        n, rng = len(self.buildings) + 1, self.rng
        floors = rng.choice([6, 6, 11]) if self.is_chinese else 2
        building = {"id": new_id(rng), "grid": 7, "order": n, "lon": 104.0, "lat": 30.6, "floors": floors}
        building["units"] = rng.choice([1, 2, 3]) if self.is_chinese else 1
        building["name"] = f"{n}号楼" if self.is_chinese else rng.choice(["Mill Lane", "Ferry Road", "Weir Street"])
        building["address"] = f"柳岸街道桥西路{10 + 2 * n}号" if self.is_chinese else ""
        self.buildings.append(building)
        if not self.is_chinese:
            building["name"] = f"{building['name']} {n * 2}-{n * 2 + 16}"
        for unit in range(1, building["units"] + 1):
            for floor in range(floors, 0, -1):
                for flat in (1, 2):
                    self.add_door(building, str(unit), floor, flat)

    def add_door(self, building: dict[str, Any], unit: str, floor: int, flat: int) -> None:
        rng, order = self.rng, len(self.doors)
        room = f"{floor}{flat:02d}" if self.is_chinese else str(10 + order)
        door = {
            "id": new_id(rng), "grid": 7, "sub_district": 3, "building": building["id"],
            "unit": unit if building["units"] > 1 else "", "floor": floor, "room": room, "order": order, "states": {},
        }  # fmt: skip
        street = building["name"].rsplit(" ", 1)[0]
        stair = f"{unit}单元" if door["unit"] else ""
        door["label"] = f"{building['name']}{stair}{room}" if self.is_chinese else f"{room} {street}"
        self.doors.append(door)
        if rng.random() < 0.1:
            return
        household = {"id": new_id(rng), "dwelling": door["id"], "kind": "family", "label": None}
        self.households.append(household)
        surname = rng.choice(SURNAMES if self.is_chinese else LAST)
        for n in range(rng.choice([1, 1, 2, 2, 3, 3, 4, 5])):
            self.persons.append(self.person(door, household, surname, n))

    def person(self, door: dict[str, Any], household: dict[str, Any], surname: str, n: int) -> dict[str, Any]:
        rng = self.rng
        family = surname if rng.random() < 0.6 or not n else rng.choice(SURNAMES if self.is_chinese else LAST)
        given = "".join(rng.sample(GIVEN, rng.choice([1, 2, 2]))) if self.is_chinese else rng.choice(FIRST)
        has_phone = rng.random() < 0.7
        phone = f"1390000{rng.randint(0, 9999):04d}" if self.is_chinese else f"+447700900{rng.randint(0, 999):03d}"
        return {
            "id": new_id(rng), "household": household["id"], "dwelling": door["id"], "listed": True,
            "name": family + given if self.is_chinese else f"{given} {family}",
            "age_band": rng.choice(["0-6", "7-17", "18-59", "18-59", "18-59", "60-79", "80+"]),
            "phone": phone if has_phone else None,
            "services": rng.sample(self.codes, rng.choice([1, 1, 2])) if rng.random() < 0.09 else [],
        }  # fmt: skip

    def round(self, kind: str, n: int) -> dict[str, Any]:
        definition = self.pack.campaign_kind_json(kind)
        name = definition["name"]["zh" if self.is_chinese else "en"]
        title = f"{name} 第{n + 1}轮" if self.is_chinese else f"{name}, round {n + 1}"
        ident = new_id(self.rng)
        return {"id": ident, "campaign": ident, "name": title, "status": "OPEN", "kind": definition,
                "opens_at": now(), "closes_at": None}  # fmt: skip

    def roster(self, one: dict[str, Any]) -> list[dict[str, Any]]:
        unit = one["kind"]["unit"]
        source = {"person": self.persons, "household": self.households, "dwelling": self.doors}[unit]
        rows = []
        for row in source:
            dwelling = row["id"] if unit == "dwelling" else row["dwelling"]
            entry = {"round": one["id"], "subject": row["id"], "unit": unit, "cls": "OPEN", "outcome": None, "at": None,
                     "attempts": 0, "by": None, "origin": "FROZEN", "dwelling": dwelling}  # fmt: skip
            if self.rng.random() < 0.45:
                self.decide(entry, one, self.rng.choice(one["kind"]["outcomes"])["code"] if self.rng.random() < 0.3
                            else one["kind"]["outcomes"][0]["code"])  # fmt: skip
            rows.append(entry)
        return rows

    def decide(self, entry: dict[str, Any], one: dict[str, Any], code: str, at: str | None = None, by: str = "x") -> None:
        outcome = next((o for o in one["kind"]["outcomes"] if o["code"] == code), None)
        if outcome is None:
            return
        when = at or (datetime.now(UTC) - timedelta(minutes=self.rng.randint(5, 300))).isoformat(timespec="milliseconds")
        alone = outcome.get("evidence") == "second_visit"
        entry.update(outcome=code, cls="UNREACHED" if alone else outcome["class"], at=when, by=by,
                     attempts=entry["attempts"] + (outcome["class"] != "DONE"))  # fmt: skip
        if outcome.get("door"):
            door = next((d for d in self.doors if d["id"] == entry["dwelling"]), None)
            if door:
                attempts = door["states"].get(one["id"], {}).get("attempts", 0)
                door["states"][one["id"]] = {"state": outcome["door"], "attempts": attempts + 1}

    def take(self, device: str, fact: dict[str, Any]) -> None:
        """The verdict and its consequences, at once."""
        body, code = fact["body"], None
        verdict = "DUPLICATE" if any(known["id"] == fact["id"] for known in self.journal) else "APPLIED"
        self.revision += 1
        one = next((r for r in self.rounds if r["id"] == body.get("round")), None)
        subject = next((fact["subject"][k] for k in ("person", "household", "dwelling") if k in fact["subject"]), "")
        text = json.dumps(body, ensure_ascii=False)
        if "未来" in text or "the future" in text:
            verdict, code = "FLAGGED", "time_future"
        if "留着" in text or "hold this" in text:
            verdict, code = "HELD", "unknown_subject"
        if verdict in ("APPLIED", "FLAGGED") and one:
            self.effect(fact, one, subject, body)
        self.journal.append(fact)
        self.verdicts.append((self.revision, device, {"id": fact["id"], "verdict": verdict, "code": code}))

    def effect(self, fact: dict[str, Any], one: dict[str, Any], subject: str, body: dict[str, Any]) -> None:
        entry = next((e for e in self.entries if e["round"] == one["id"] and e["subject"] == subject), None)
        door = next((d for d in self.doors if d["id"] == fact["subject"].get("dwelling")), None)
        if fact["kind"] == "entry.outcome" and entry:
            self.decide(entry, one, body["outcome"], fact["occurred_at"], fact["actor"])
            self.touch("entries", entry)
            self.touch("doors", next(d for d in self.doors if d["id"] == entry["dwelling"]))
        elif fact["kind"] == "fact.undone" and entry:
            entry.update(cls="OPEN", outcome=None, at=None, by=None)
            self.touch("entries", entry)
        elif fact["kind"] == "door.state" and door:
            door["states"][one["id"]] = {"state": body["state"], "attempts": 1}
            self.touch("doors", door)
        elif fact["kind"] == "door.found":
            door = {"id": subject, "grid": 7, "sub_district": 3, "building": body["building"], "order": 10_000,
                    "unit": body.get("unit", ""), "floor": body.get("floor"), "room": body["room"],
                    "label": f"{body['room']} (found)", "states": {}}  # fmt: skip
            self.doors.append(door)
            self.touch("doors", door)
            if one["kind"]["unit"] == "dwelling":
                entry = {"round": one["id"], "subject": subject, "unit": "dwelling", "cls": "OPEN", "outcome": None,
                         "at": None, "attempts": 0, "by": None, "origin": "ADDED", "dwelling": subject}  # fmt: skip
                self.entries.append(entry)
                self.touch("entries", entry)
        elif fact["kind"] == "person.found" and door:
            person = {"id": body["person"], "household": body.get("household"), "dwelling": door["id"], "listed": False,
                      "name": body["name"], "age_band": None, "phone": body.get("phone"), "services": []}  # fmt: skip
            self.persons.append(person)
            self.touch("persons", person)
            if one["kind"]["unit"] == "person":
                entry = {"round": one["id"], "subject": person["id"], "unit": "person", "cls": "OPEN", "outcome": None,
                         "at": None, "attempts": 0, "by": None, "origin": "ADDED", "dwelling": door["id"]}  # fmt: skip
                self.entries.append(entry)
                self.touch("entries", entry)

    def touch(self, table: str, row: dict[str, Any]) -> None:
        self.changed.append((self.revision, table, row))

    def page(self, device: str, since: int | None) -> dict[str, Any]:
        tables: dict[str, list[Any]] = {name: [] for name in ("buildings", "doors", "households", "persons", "entries")}
        if since is None:
            tables = {name: getattr(self, name) for name in tables}
        else:
            for revision, table, row in self.changed:
                if revision > since and row not in tables[table]:
                    tables[table].append(row)
        chinese = self.is_chinese
        return {
            "v": 1, "cursor": str(self.revision), "more": False, "full": since is None, "now": now(),
            "lease_until": (datetime.now(UTC) + timedelta(hours=14)).isoformat(), "incident": self.incident(),
            "actor": self.actor(), "rounds": self.rounds if since is None else [], "gone": [], **tables,
            "grids": [{"id": 7, "code": "Q-QX-007", "revision": self.revision, "sub_district": 3,
                       "name": "桥西社区第七网格" if chinese else "Weirside block 7",
                       "head": {"name": "周桂兰" if chinese else "Grace Okoro", "phone": "13900000007"}}],
            "services": self.pack.to_json()["services"], "phones": self.pack.to_json()["phones"],
            "needs": self.pack.to_json()["needs"],
            "verdicts": [one for rev, of, one in self.verdicts if of == device and rev > (since or 0)],
        }  # fmt: skip

    def incident(self) -> dict[str, Any]:
        name = "青槐区演练" if self.is_chinese else "River town drill"
        return {"id": str(uuid.UUID(int=5)), "name": name, "pack": self.pack.key, "kind": self.pack.kind,
                "is_drill": not self.real, "time_zone": "Asia/Shanghai" if self.is_chinese else "Europe/London"}  # fmt: skip

    def actor(self) -> dict[str, str]:
        name = "李晓燕" if self.is_chinese else "Sam Fraser"
        return {"id": str(uuid.UUID(int=77)), "name": name, "role": "grid_worker"}


class Door(BaseHTTPRequestHandler):
    """Answers as the real addresses would. POST /dev/down: answers nothing; /dev/deaf: takes no batch; /dev/up."""

    town: Town
    built = BUILT
    state = "up"
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def answer(self, status: int, body: object) -> None:
        self.send(status, json.dumps(body, ensure_ascii=False).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1000:
            body, zipped = gzip.compress(body, 5), True
        else:
            zipped = False
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        url = urlparse(self.path)
        if url.path == "/dev/journal":
            return self.answer(200, self.town.journal)
        if Door.state == "down":
            return self.answer(503, {"code": "busy"})
        if url.path == "/sync/v1/pull":
            device = self.town.devices.get(self.headers.get("Authorization", "").removeprefix("Bearer "), "")
            since = parse_qs(url.query).get("since", [None])[0]
            return self.answer(200, self.town.page(device, int(since) if since else None))
        name = url.path.removeprefix("/field/") or "index.html"
        file = self.built / name
        if url.path.startswith("/field/") and file.is_file():
            return self.send(200, file.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream")
        if url.path in QUIET:
            return self.answer(200, QUIET[url.path])
        return self.answer(404, {"code": "not_found"})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path in ("/dev/down", "/dev/deaf", "/dev/up"):
            Door.state = self.path.removeprefix("/dev/")
            return self.answer(200, {})
        if Door.state == "down" or (Door.state == "deaf" and self.path.endswith("/batches")):
            return self.answer(503, {"code": "busy"})
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        if self.path == "/api/v1/devices/enrol":
            return self.enrol(json.loads(raw))
        return self.batch(raw)

    def enrol(self, asked: dict[str, Any]) -> None:
        if asked["code"].startswith("ZZZZ"):
            return self.answer(422, {"code": "code_used"})
        device, town = str(uuid.uuid4()), self.town
        lease = f"lease-{device}"
        town.devices[lease] = device
        host = self.headers["Host"]
        return self.answer(200, {
            "device": device, "lease": lease, "lease_until": (datetime.now(UTC) + timedelta(hours=14)).isoformat(),
            "intake": f"http://{host}/intake/", "server_keys": [{"kid": "dev", "jwk": ed25519_jwk(KEY.public_key())}],
            "incident": town.incident(), "grids": [7], "actor": town.actor(), "sub_districts": [3],
        })  # fmt: skip

    def batch(self, raw: bytes) -> None:
        batch, received = json.loads(raw), now()
        for fact in batch["facts"]:
            self.town.take(batch["device"], {**fact, "device": batch["device"]})
        digest = hashlib.sha256(raw).hexdigest()
        said = "\n".join(["muster-receipt-v1", batch["batch"], batch["device"], digest, received])
        return self.answer(200, {
            "v": 1, "batch": batch["batch"], "device": batch["device"], "sha256": digest, "received_at": received,
            "instance": "dev", "count": len(batch["facts"]), "signature": b64url(KEY.sign(said.encode())),
        })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", default="epidemic-zh", choices=sorted(SERVICES))
    parser.add_argument("--kinds", default="")
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--real", action="store_true", help="not a drill: a PIN is demanded")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--built", type=Path, default=BUILT)
    chosen = parser.parse_args()
    kinds = chosen.kinds.split(",") if chosen.kinds else [packs.load(chosen.pack).campaign_kinds[0].key]
    Door.town = Town(chosen.pack, kinds, chosen.people, 7, real=chosen.real)
    Door.built = chosen.built
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Door)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    print(f"{address}/field/?code=AAAA-0001 ({len(Door.town.doors)} doors)", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
