# SPDX-License-Identifier: Apache-2.0
"""A network of our own: one address that is not loopback, seen by nobody else. Needs root on Linux."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def why_not() -> str:
    """What keeps this machine from having one; empty when nothing does."""
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "no network namespaces here: Linux and iproute2 are needed"
    if os.geteuid() != 0:
        return "a network namespace needs root"
    return ""


class Network:
    """A named network namespace; commands enter it with `prefix`, this thread with `entered`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.prefix = ("ip", "netns", "exec", name)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What this thread opens meanwhile lies inside; other threads stay where they are."""
        with (
            Path("/proc/thread-self/ns/net").open() as home,
            Path(f"/var/run/netns/{self.name}").open() as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def launcher(self, program: str, folder: Path) -> Path:
        """A script that starts the program inside, for those who take only a path."""
        script = folder / f"{Path(program).name}-inside"
        script.write_text(f'#!/bin/sh\nexec {" ".join(self.prefix)} {program} "$@"\n')
        script.chmod(0o700)
        return script


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def network(address: str) -> Iterator[Network]:
    """A network whose only addresses are loopback's and this one."""
    made = Network(f"muster-{secrets.token_hex(4)}")
    _ip("netns", "add", made.name)
    try:
        _ip("-n", made.name, "link", "set", "lo", "up")
        # A cable with both ends inside: a browser that sees only the device lo believes itself offline.
        _ip("-n", made.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        for end in ("eth0", "eth1"):
            _ip("-n", made.name, "link", "set", end, "up")
        _ip("-n", made.name, "address", "add", f"{address}/32", "dev", "eth0")
        yield made
    finally:
        _ip("netns", "delete", made.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
