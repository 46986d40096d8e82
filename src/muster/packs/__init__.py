# SPDX-License-Identifier: Apache-2.0
"""Packs: words as data. The same code serves an epidemic, a flood or an ordinary week with another pack.

`load(name)` gives a Pack, `available()` the names. Imports base only, so that everybody may import it.
"""

from muster.packs.loader import available, load
from muster.packs.pack import Pack

__all__ = ["Pack", "available", "load"]
