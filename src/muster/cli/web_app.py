# SPDX-License-Identifier: Apache-2.0
"""What the web server's worker loads: Django, and a watch that ends it when the server is gone."""

from __future__ import annotations

import os
import threading
import time

from django.core.wsgi import get_wsgi_application

LOOK_SECONDS = 0.5


def leave_with(parent: int) -> None:
    """End when the process that started us is gone: an orphan would hold the port."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.config.settings")
application = get_wsgi_application()
threading.Thread(target=leave_with, args=[os.getppid()], daemon=True, name="leave-with-parent").start()
