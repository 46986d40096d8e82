# SPDX-License-Identifier: Apache-2.0
"""The control's server: `python -m benchmarks.intake.django_peer PORT`, one worker of eight threads."""

import sys

from django.db import connection
from granian import Granian
from granian.constants import Interfaces

from benchmarks.intake.django_records import Record


def main() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Record)
    connection.close()
    Granian(
        "benchmarks.intake.django_records:application",
        factory=True,
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=8,
        websockets=False,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
