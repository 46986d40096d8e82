# SPDX-License-Identifier: Apache-2.0
"""What the front door holds in memory stays bounded, and its settings are checked."""

import asyncio
import time

import pytest

from muster.base.errors import Refusal
from muster.intake.bodies import Bodies, Gone
from muster.intake.leases import KnownLeases
from muster.intake.loop_lag import LoopLag
from muster.intake.settings import read_settings


def reading(bodies, messages, *, length="", within=5.0, most=100):
    left = list(messages)

    async def receive():
        if not left:
            await asyncio.sleep(60)
        return left.pop(0)

    headers = {b"content-length": length.encode()} if length else {}
    return bodies.read(headers, receive, most=most, within=within, too_large="body_too_large")


def part(body, *, more):
    return {"type": "http.request", "body": body, "more_body": more}


class TestBodies:
    def test_bodies_together_are_bounded_and_room_comes_back(self):
        async def act():
            bodies = Bodies(most_together=100)
            slow = asyncio.ensure_future(reading(bodies, [part(b"x" * 80, more=True)], within=0.2))
            await asyncio.sleep(0.01)
            with pytest.raises(Refusal, match="intake_busy"):
                await reading(bodies, [part(b"x" * 30, more=False)])
            assert await reading(bodies, [part(b"x" * 15, more=False)]) == b"x" * 15
            with pytest.raises(Refusal, match="body_late"):
                await slow
            return await reading(bodies, [part(b"x" * 90, more=False)])

        assert asyncio.run(act()) == b"x" * 90

    def test_who_hangs_up_is_let_go(self):
        async def act():
            await reading(Bodies(), [part(b"x", more=True), {"type": "http.disconnect"}])

        with pytest.raises(Gone):
            asyncio.run(act())

    @pytest.mark.parametrize("length", ["101", "9" * 5000])
    def test_a_length_beyond_the_limit_is_refused_unread(self, length):
        with pytest.raises(Refusal, match="body_too_large"):
            asyncio.run(reading(Bodies(), [], length=length))

    @pytest.mark.parametrize("length", ["-1", "x", "1e3"])
    def test_a_length_that_is_none_is_ignored(self, length):
        assert asyncio.run(reading(Bodies(), [part(b"abc", more=False)], length=length)) == b"abc"


class TestLoopLag:
    def test_a_blocked_loop_is_noticed_and_forgotten(self):
        async def act():
            lag = LoopLag()
            await asyncio.sleep(0.2)
            time.sleep(0.6)
            hiccup = lag.seconds()
            await asyncio.sleep(0.2)
            for _ in range(8):
                time.sleep(0.3)
                await asyncio.sleep(0.001)
            blocked = lag.seconds()
            await asyncio.sleep(0.5)
            again = lag.seconds()
            lag.stop()
            return hiccup, blocked, again

        hiccup, blocked, again = asyncio.run(act())
        assert blocked > 0.2
        assert max(hiccup, again) < blocked / 2


class TestKnownLeases:
    def test_only_the_latest_are_remembered(self, house):
        known = KnownLeases(house.keystore, most=2)
        tokens = [house.device().lease for _ in range(3)]
        for token in tokens:
            known.of_header(f"Bearer {token}")

        assert list(known._known) == tokens[1:]
        assert known.of_header(f"bearer  {tokens[0]}")[0] == tokens[0]

    def test_a_refused_lease_is_not_remembered(self, house):
        known = KnownLeases(house.keystore)
        for token in ("x" * 40, "y" * 100_000):
            with pytest.raises(Refusal, match="lease_unknown"):
                known.of_header(f"Bearer {token}")

        assert not known._known


class TestSettings:
    def test_defaults_are_those_of_the_house(self, tmp_path):
        settings = read_settings({"MUSTER_DATA": str(tmp_path)})

        assert (settings.port, settings.host) == (8001, "127.0.0.1")
        assert settings.secret_file == tmp_path / "secret" / "muster.secret"
        assert settings.journal_source == tmp_path
        assert settings.web_origins == {"http://localhost:8000", "http://127.0.0.1:8000"}

    def test_web_is_where_it_says_or_beside_us(self):
        tls = {"MUSTER_TLS_CERT": "c", "MUSTER_TLS_KEY": "k"}

        assert read_settings({"MUSTER_WEB_ORIGIN": "https://a.example/, https://b"}).web_origins == {
            "https://a.example",
            "https://b",
        }
        assert read_settings(tls | {"MUSTER_HOST": "m.example", "MUSTER_PORT": "443"}).web_origins == {
            "https://m.example"
        }

    def test_the_port_follows_the_webs(self):
        assert read_settings({"MUSTER_PORT": "9000"}).port == 9001

    def test_the_journal_lies_with_a_postgresql_main_database(self):
        url = "postgresql://muster@db/muster"

        assert read_settings({"MUSTER_DATABASE_URL": url}).journal_source == url
        assert read_settings({"MUSTER_DATABASE_URL": "sqlite:///x"}).journal_source != "sqlite:///x"

    @pytest.mark.parametrize(
        "environ",
        [
            {"MUSTER_INTAKE_PORT": "0"},
            {"MUSTER_INTAKE_PORT": "http"},
            {"MUSTER_INTAKE_PORT": "70000"},
            {"MUSTER_PORT": "x"},
            {"MUSTER_TLS_CERT": "cert.pem"},
        ],
    )
    def test_a_wrong_setting_is_named(self, environ):
        with pytest.raises(Refusal, match="setting_bad"):
            read_settings(environ)
