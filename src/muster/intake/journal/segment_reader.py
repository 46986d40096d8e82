# SPDX-License-Identifier: Apache-2.0
"""Reading the journal's SQLite segments, live or archived: the two have the same layout."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from muster.base.crypto import Keystore
from muster.intake.durable import copy_file
from muster.intake.journal.rows import READ_BYTES, JournalRow, SealedRow, open_row, share_out, within
from muster.intake.journal.segments import (
    RETIRED,
    has_table,
    is_sealed,
    last_n,
    open_segment,
    row_of,
    segment_files,
    stream_numbers,
)


class SegmentReader:
    """Opens a segment for each read and lets go of it, so that a writer can always finish a segment."""

    def __init__(self, root: Path, keystore: Keystore) -> None:
        self._root = root
        self._keystore = keystore

    def writers(self) -> list[int]:
        return stream_numbers(self._root)

    def heads(self) -> dict[int, int]:
        return {writer: self._head(writer) for writer in self.writers()}

    def read_after(
        self, positions: Mapping[int, int], limit: int, *, most_bytes: int = READ_BYTES
    ) -> list[JournalRow]:
        def read(writer: int, rows: int, size: int) -> list[SealedRow]:
            return self._rows_after(writer, positions.get(writer, 0), rows, size)

        rows = share_out(self.writers(), limit, most_bytes, read)
        return [open_row(self._keystore, row) for row in rows]

    def archive(self, positions: Mapping[int, int], into: Path) -> list[Path]:
        moved = []
        for writer, path, _ in self._done(positions):
            copy = into / str(writer) / path.name
            copy_file(path, copy, mode=0o440)
            path.unlink()
            moved.append(copy)
        return moved

    def prune(self, positions: Mapping[int, int]) -> int:
        gone = 0
        for _, path, rows in self._done(positions):
            path.unlink()
            gone += rows
        return gone

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _head(self, writer: int) -> int:
        files = segment_files(self._root / str(writer))
        return max((self._last(path) or first - 1 for first, path in files[-1:]), default=0)

    def _last(self, path: Path) -> int | None:
        with closing(open_segment(path)) as db:
            return last_n(db)

    def _rows_after(self, writer: int, position: int, limit: int, most_bytes: int) -> list[SealedRow]:
        files = segment_files(self._root / str(writer))
        rows: list[SealedRow] = []
        for at, (_, path) in enumerate(files):
            end = files[at + 1][0] - 1 if at + 1 < len(files) else None
            if end is not None and end <= position:
                continue
            left = most_bytes - sum(len(row.sealed) for row in rows)
            if len(rows) >= limit or left <= 0:
                break
            found = _read(path, writer, position, limit - len(rows), left)
            rows += found
            # Cut short by a limit: what follows in this segment comes before the next one.
            if found and end is not None and found[-1].n < end:
                break
        return rows

    def _done(self, positions: Mapping[int, int]) -> list[tuple[int, Path, int]]:
        """Return (writer, path, rows) of segments that ended and lie wholly at or below the positions."""
        done = []
        for writer in self.writers():
            folder = self._root / str(writer)
            files = segment_files(folder)
            # The last segment is open, unless the whole stream has ended.
            ended = files if (folder / RETIRED).exists() else files[:-1]
            for first, path in ended:
                last = self._last(path) or first - 1
                if last <= positions.get(writer, 0) and is_sealed(path):
                    done.append((writer, path, last - first + 1))
        return done


def _read(path: Path, writer: int, position: int, limit: int, most_bytes: int) -> list[SealedRow]:
    with closing(open_segment(path)) as db:
        if not has_table(db):
            return []
        found = db.execute("SELECT * FROM journal WHERE n > ? ORDER BY n LIMIT ?", (position, limit))
        return within((row_of(writer, values) for values in found), most_bytes)
