# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that can cut an answer: the server has done its work, and the asker never hears of it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class CuttingProxy:
    """Passes whole connections on to a port of this machine. `cuts()` is asked before each answer."""

    def __init__(self, port: int, *, cuts: Callable[[], bool]) -> None:
        self._upstream, self._cuts = port, cuts
        self.cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                asker, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(asker,), daemon=True).start()

    def _pass_on(self, asker: socket.socket) -> None:
        with asker, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            threading.Thread(target=_copy, args=(asker, server), daemon=True).start()
            with contextlib.suppress(OSError):
                while answer := server.recv(1 << 16):
                    # The answer is here, so the server has committed; now it may get lost.
                    if self._cuts():
                        self.cut += 1
                        break
                    asker.sendall(answer)
            # Closing alone would wait for the thread that still reads.
            for end in (asker, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(1 << 16):
            target.sendall(part)
