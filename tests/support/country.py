# SPDX-License-Identifier: Apache-2.0
"""A country of three places, each a network namespace: the city, a far site, and phones that are at either.

One name, NAME, is the city in the city and the site at the site, as a site's Wi-Fi says it; the line between
the two can be cut. Needs root on Linux.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.isolated import Network

NAME = "muster.test"
# What NAME resolves to, wherever one is.
NUMBER = "10.78.9.9"
CITY_NUMBER = "10.78.3.1"
HOSTS = Path("/etc/netns")


class Country:
    """`go` moves the phones ("nowhere": no network); `cut` and `heal` are the line between site and city."""

    def __init__(self, mark: str) -> None:
        self.city, self.site, self.phones = (Network(f"muster-{mark}-{x}") for x in ("city", "site", "field"))

    @property
    def places(self) -> tuple[Network, ...]:
        return self.city, self.site, self.phones

    def make(self) -> None:
        for place in self.places:
            _ip("netns", "add", place.name)
            _ip("-n", place.name, "link", "set", "lo", "up")
            _say_name(place.name)
        for place in (self.city, self.site):
            _ip("-n", place.name, "address", "add", f"{NUMBER}/32", "dev", "lo")
        _cable(self.city, "wifi", "10.78.1.1", self.phones, "tocity", "10.78.1.2")
        _cable(self.site, "wifi", "10.78.2.1", self.phones, "tosite", "10.78.2.2")
        _cable(self.city, "far", CITY_NUMBER, self.site, "uplink", "10.78.3.2")
        self.go("city")

    def go(self, where: str) -> None:
        if where == "nowhere":
            _ip("-n", self.phones.name, "route", "del", f"{NUMBER}/32")
            return
        gate = {"city": "10.78.1.1", "site": "10.78.2.1"}[where]
        _ip("-n", self.phones.name, "route", "replace", f"{NUMBER}/32", "via", gate)

    def cut(self) -> None:
        _ip("-n", self.site.name, "link", "set", "uplink", "down")

    def heal(self) -> None:
        _ip("-n", self.site.name, "link", "set", "uplink", "up")

    def remove(self) -> None:
        for place in self.places:
            _ip("netns", "delete", place.name, check=False)
            shutil.rmtree(HOSTS / place.name, ignore_errors=True)


@contextmanager
def country() -> Iterator[Country]:
    made = Country(secrets.token_hex(3))
    try:
        made.make()
        yield made
    finally:
        made.remove()


@contextmanager
def one_name() -> Iterator[None]:
    """This process resolves NAME, too: what a router's DNS does for everybody on its Wi-Fi."""
    really = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        return really(NUMBER if host == NAME else host, *rest, **more)

    socket.getaddrinfo = resolve
    try:
        yield
    finally:
        socket.getaddrinfo = really


def _cable(one: Network, one_end: str, one_number: str, other: Network, end: str, number: str) -> None:
    _ip("-n", one.name, "link", "add", one_end, "type", "veth", "peer", "name", end, "netns", other.name)
    for place, name, address in ((one, one_end, one_number), (other, end, number)):
        _ip("-n", place.name, "address", "add", f"{address}/30", "dev", name)
        _ip("-n", place.name, "link", "set", name, "up")


def _say_name(place: str) -> None:
    # `ip netns exec` lays these over /etc for what it starts.
    folder = HOSTS / place
    folder.mkdir(parents=True)
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{NUMBER} {NAME}\n")


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)
