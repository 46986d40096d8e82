# SPDX-License-Identifier: Apache-2.0
"""The key of a name, remembered: a list asks for the same one half a dozen times."""

from functools import lru_cache

from muster.register import names

name_key = lru_cache(maxsize=16_384)(names.name_key)
