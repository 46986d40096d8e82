# SPDX-License-Identifier: Apache-2.0
"""Looks at the directory of a zipped spreadsheet before anything is unpacked.

The directory may lie about sizes; the limits on the reading child hold even then.
"""

from __future__ import annotations

import io
import zipfile

from muster.base.errors import Refusal
from muster.register.importing.limits import LIMITS, Limits

ZIP_MARK = b"PK\x03\x04"
OLD_OFFICE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK = "xl/workbook.xml"


def check_archive(raw: bytes, *, limits: Limits = LIMITS) -> None:
    """Raises Refusal import_file_unreadable, import_archive_too_big or import_not_a_workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        raise Refusal("import_file_unreadable") from error
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > limits.archive_entries or unpacked > limits.unpacked_bytes:
        raise Refusal("import_archive_too_big")
    if unpacked > limits.ratio_matters_from and unpacked > limits.unpacked_ratio * len(raw):
        raise Refusal("import_archive_too_big")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refusal("import_file_protected")
    if not any(entry.filename == _WORKBOOK for entry in entries):
        raise Refusal("import_not_a_workbook")
