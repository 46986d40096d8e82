# SPDX-License-Identifier: Apache-2.0
"""The keystore of this instance, opened once per process."""

import os
from functools import lru_cache

from django.conf import settings

from muster.base.crypto import Keystore


def keystore() -> Keystore:
    """The open keystore; a forked child opens its own."""
    return _open(os.getpid())


def forget_keystore() -> None:
    """After a restore or in tests: the next call opens the file anew."""
    _open.cache_clear()


@lru_cache(maxsize=4)
def _open(_pid: int) -> Keystore:
    environment = settings.ENVIRONMENT
    environment.keys_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Keystore.open(environment.keys_path, environment.secret_file, create=True)
