# SPDX-License-Identifier: Apache-2.0
"""The ceiling: a door that reads the body and answers, and does nothing else. As many processes as ours."""

import os
from typing import Any

from granian import Granian
from granian.constants import Interfaces

_ANSWER = b'{"v":1,"receipt":"' + b"x" * 360 + b'"}'
_HEADERS = [("content-type", "application/json")]


async def application(scope: Any, exchange: Any) -> None:
    scope.headers.get("authorization")
    await exchange()
    exchange.response_bytes(200, _HEADERS, _ANSWER)


if __name__ == "__main__":
    Granian(
        "benchmarks.intake.empty_door:application",
        port=int(os.environ["MUSTER_INTAKE_PORT"]),
        interface=Interfaces.RSGI,
        workers=int(os.environ["MUSTER_INTAKE_WORKERS"]),
        websockets=False,
        log_access=False,
    ).serve()
