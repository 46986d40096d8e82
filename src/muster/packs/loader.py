# SPDX-License-Identifier: Apache-2.0
"""Finding and reading packs: those that come with Muster, and packs of one's own in the data folder.

All `*.toml` files of a pack's folder are one document; a table stands in one file. A pack of one's own may
say `extends = "flood"`: what it does not say it takes from there, table by table (terms word by word).
"""

from __future__ import annotations

import os
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from muster.base.errors import Refusal
from muster.packs.checks import faults
from muster.packs.pack import Pack

_SHIPPED = Path(__file__).resolve().parent
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LARGEST_FILE = 1_000_000
_MOST_FILES = 40

Document = dict[str, Any]


def available(data_dir: Path | None = None) -> list[str]:
    """Return the names of all packs, those that come with Muster first."""
    shipped = _names_in(_SHIPPED)
    return shipped + [name for name in _names_in(_own(data_dir)) if name not in shipped]


def load(name: str, data_dir: Path | None = None) -> Pack:
    """Return a pack, checked. Cached until one of its files changes.

    Raises Refusal pack_unknown, or another pack_* that names file, table, key and cure.
    """
    folder = _folder(name, data_dir)
    stamps = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in _files(folder))
    return _load(name, folder, _own(data_dir), stamps)


@lru_cache(maxsize=32)
def _load(name: str, folder: Path, own: Path, stamps: tuple[tuple[str, int, int], ...]) -> Pack:
    del stamps  # only there to make the cache see a changed file
    document, origin = _document(folder)
    if base := document.pop("extends", None):
        document = _extended(document, base, own=own, folder=folder)
    document.setdefault("key", name)
    if document["key"] != name:
        raise Refusal(
            "pack_key_differs", file=_shown(origin.get("key", folder)), name=document["key"], folder=name
        )
    pack = _converted(document, origin, folder)
    for where, code, facts in faults(pack):
        raise Refusal(code, file=_file_of(where, origin, folder), where=where, **facts)
    return pack


def _own(data_dir: Path | None) -> Path:
    return (data_dir or Path(os.environ.get("MUSTER_DATA") or "var")) / "packs"


def _names_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and any(path.glob("*.toml"))
    )


def _folder(name: str, data_dir: Path | None) -> Path:
    """Return where a pack stands. The name is checked before it becomes a path."""
    places = [_SHIPPED, _own(data_dir)]
    found = [place / name for place in places if _NAME.fullmatch(name) and any((place / name).glob("*.toml"))]
    if len(found) > 1:
        raise Refusal("pack_name_taken", name=name)
    if not found:
        raise Refusal("pack_unknown", name=name[:80], known=", ".join(available(data_dir)))
    return found[0]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _document(folder: Path) -> tuple[Document, dict[str, Path]]:
    """Return all tables of a folder, and the file that each stands in."""
    files = _files(folder)
    if len(files) > _MOST_FILES:
        raise Refusal("pack_too_large", file=_shown(folder))
    document: Document = {}
    origin: dict[str, Path] = {}
    for path in files:
        for table, value in _tables(path).items():
            if table in origin:
                raise Refusal("pack_table_twice", file=_shown(path), other=origin[table].name, where=table)
            document[table] = value
            origin[table] = path
    return document, origin


def _tables(path: Path) -> Document:
    if path.stat().st_size > _LARGEST_FILE:
        raise Refusal("pack_too_large", file=_shown(path))
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Refusal("pack_file_unreadable", file=_shown(path), detail=str(wrong)) from wrong


def _extended(document: Document, base: object, *, own: Path, folder: Path) -> Document:
    """Lay a pack of one's own over one that comes with Muster."""
    if not isinstance(base, str) or base not in _names_in(_SHIPPED) or folder.parent != own:
        known = ", ".join(_names_in(_SHIPPED))
        raise Refusal(
            "pack_reference_unknown", file=_shown(folder), where="extends", name=str(base)[:80], known=known
        )
    under, _ = _document(_SHIPPED / base)
    under.pop("key", None)
    laid = {**under, **document}
    if isinstance(document.get("terms"), dict):
        laid["terms"] = {**under.get("terms", {}), **document["terms"]}
    return laid


def _converted(document: Document, origin: dict[str, Path], folder: Path) -> Pack:
    try:
        return msgspec.convert(document, Pack)
    except msgspec.ValidationError as wrong:
        message, _, path = str(wrong).partition(" - at ")
        steps = re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", path)
        where = _spoken(document, steps)
        file = _file_of(where, origin, folder)
        raise Refusal(_code_of(message), file=file, where=where or "…", **_facts(message)) from wrong


def _code_of(message: str) -> str:
    if "missing required field" in message:
        return "pack_key_missing"
    return "pack_key_unknown" if "unknown field" in message else "pack_value_wrong"


def _facts(message: str) -> dict[str, str]:
    if message.startswith("Object "):
        return {"key": message.rpartition(" `")[2].rstrip("`")}
    return {"detail": message}


def _spoken(document: Document, steps: list[tuple[str, str]]) -> str:
    """Say a path as people look for it: campaign_kinds “kit”.outcomes “DONE”.met, not $.campaign_kinds[1]…"""
    here: Any = document
    said = ""
    for key, index in steps:
        if key:
            said += f".{key}" if said else key
            here = here.get(key) if isinstance(here, dict) else None
        elif index.isdigit() and isinstance(here, list) and int(index) < len(here):
            here = here[int(index)]
            said += f" “{_label(here)}”" if _label(here) else f" [{int(index) + 1}]"
    return said


def _label(entry: object) -> str:
    if not isinstance(entry, dict):
        return ""
    return str(next((entry[name] for name in ("code", "key", "type", "value") if name in entry), ""))


def _file_of(where: str, origin: dict[str, Path], folder: Path) -> str:
    table = re.split(r"[. ]", where)[0]
    return _shown(origin.get(table, folder))


def _shown(path: Path) -> str:
    """Name a file without the folders of this machine."""
    return f"{path.parent.name}/{path.name}"
