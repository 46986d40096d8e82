# SPDX-License-Identifier: Apache-2.0
"""Pictures: drawn anew before they are kept, so that nothing of camera, place or hidden payload stays.

Sealed beside the journal's blobs under the incident's key: they die with it. Who may look at one is for
whoever keeps its hash to say.
"""

from __future__ import annotations

import hashlib
import io
import threading
import uuid

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from muster.base.errors import Refusal
from muster.intake.blobs import put_blob, read_blob
from muster.storage.keys import keystore

MOST_BYTES = 5 << 20
# A phone's largest camera has some 50 million pixels; what claims more is a bomb, not a picture.
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 1600
QUALITY = 80
FORMATS = ("JPEG", "PNG", "WEBP")
# Drawing takes a core for a while: more than these wait, and who waits too long comes again. What else the
# house does has threads left.
_DRAWING = threading.BoundedSemaphore(2)
WAIT_S = 8.0


def keep_picture(raw: bytes, *, incident: uuid.UUID) -> str:
    """Keeps a picture and returns the SHA-256 of what was kept: a JPEG of at most 1600 pixels a side.

    Raises:
        Refusal: picture_too_large (most, in MiB), picture_unreadable, pictures_busy, incident_destroyed,
            journal_full.
    """
    if len(raw) > MOST_BYTES:
        raise Refusal("picture_too_large", most=MOST_BYTES >> 20)
    drawn = _drawn_anew(raw)
    name = hashlib.sha256(drawn).hexdigest()
    put_blob(settings.ENVIRONMENT.data, keystore(), incident, name, drawn)
    return name


def read_picture(name: str, *, incident: uuid.UUID) -> bytes:
    """The JPEG of this hash, as somebody may see it who was asked to look.

    What came from a phone was never looked into before: it is drawn anew here.

    Raises:
        Refusal: picture_not_here (it may still be on a phone), picture_unreadable, pictures_busy.
    """
    raw = read_blob(settings.ENVIRONMENT.data, keystore(), incident, name)
    if raw is None:
        raise Refusal("picture_not_here")
    return _drawn_anew(raw)


def _drawn_anew(raw: bytes) -> bytes:
    if not _DRAWING.acquire(timeout=WAIT_S):
        raise Refusal("pictures_busy")
    try:
        return _draw(raw)
    finally:
        _DRAWING.release()


def _draw(raw: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Refusal("picture_unreadable")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as wrong:
        raise Refusal("picture_unreadable") from wrong
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
