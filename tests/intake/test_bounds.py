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


class Pieces:
    """A body that comes in pieces; after the last one nothing comes, or the line is dead."""

    def __init__(self, pieces, *, ends=True, dead=False):
        self._pieces, self._ends, self._dead = pieces, ends, dead

    async def __aiter__(self):
        for piece in self._pieces:
            yield piece
        if self._dead:
            raise RuntimeError("transport closed")
        if not self._ends:
            await asyncio.sleep(60)

    async def __call__(self):
        return b"".join([piece async for piece in self])


def reading(bodies, *pieces, length="", within=5.0, most=100, **more):
    return bodies.read(length, Pieces(pieces, **more), most=most, within=within, too_large="body_too_large")


class TestBodies:
    def test_bodies_together_are_bounded_and_room_comes_back(self):
        async def act():
            bodies = Bodies(most_together=100)
            slow = asyncio.ensure_future(reading(bodies, b"x" * 80, ends=False, within=0.2))
            await asyncio.sleep(0.01)
            with pytest.raises(Refusal, match="intake_busy"):
                await reading(bodies, b"x" * 30)
            assert await reading(bodies, b"x" * 15) == b"x" * 15
            with pytest.raises(Refusal, match="body_late"):
                await slow
            return await reading(bodies, b"x" * 90)

        assert asyncio.run(act()) == b"x" * 90

    def test_small_bodies_together_are_bounded_and_room_comes_back(self):
        async def act():
            bodies = Bodies(most_small=100)
            slow = asyncio.ensure_future(reading(bodies, b"x" * 80, length="80", ends=False, within=0.2))
            await asyncio.sleep(0.01)
            with pytest.raises(Refusal, match="intake_busy"):
                await reading(bodies, b"x" * 30, length="30")
            with pytest.raises(Refusal, match="body_late"):
                await slow
            return await reading(bodies, b"x" * 90, length="90")

        assert asyncio.run(act()) == b"x" * 90

    @pytest.mark.parametrize("length", ["", "9"])
    def test_who_hangs_up_is_let_go(self, length):
        async def act():
            await reading(Bodies(), b"x", dead=True, length=length)

        with pytest.raises(Gone):
            asyncio.run(act())

    @pytest.mark.parametrize("length", ["101", "9" * 5000])
    def test_a_length_beyond_the_limit_is_refused_unread(self, length):
        with pytest.raises(Refusal, match="body_too_large"):
            asyncio.run(reading(Bodies(), length=length))

    @pytest.mark.parametrize("length", ["-1", "x", "1e3"])
    def test_a_length_that_is_none_is_ignored(self, length):
        assert asyncio.run(reading(Bodies(), b"abc", length=length)) == b"abc"


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
