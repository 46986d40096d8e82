# SPDX-License-Identifier: Apache-2.0
"""How much a file from outside may cost: bytes, entries, memory, seconds, rows, columns."""

from __future__ import annotations

import msgspec

MIB = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """What one file may take. A list of 100,000 persons takes about a fifth of each."""

    file_bytes: int = 64 * MIB
    archive_entries: int = 1_000
    unpacked_bytes: int = 200 * MIB
    unpacked_ratio: int = 50
    ratio_matters_from: int = 4 * MIB  # small files of empty cells may well shrink a hundredfold
    memory_bytes: int = 512 * MIB
    cpu_seconds: int = 60
    wall_seconds: int = 180
    rows: int = 200_000
    columns: int = 200
    cell_characters: int = 4_000


LIMITS = Limits()
