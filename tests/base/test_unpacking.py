# SPDX-License-Identifier: Apache-2.0
"""Unpacking: what was packed is there again; what leads out of the folder leaves nothing behind."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from muster.base.unpacking import unpack


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> tarfile.TarFile:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return tarfile.open(fileobj=io.BytesIO(file.getvalue()))


def named(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    for key, value in more.items():
        setattr(member, key, value)
    return member


def test_what_was_packed_is_there_again(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "a" / "空").mkdir(parents=True)
    (source / "a" / "名册.txt").write_bytes(b"x" * 3_000_000)
    (source / "a" / "own").write_bytes(b"")
    (source / "a" / "own").chmod(0o600)
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        archive.add(source / "a", "a")

    with tarfile.open(tmp_path / "all.tar.gz") as archive:
        unpack(archive, target)

    assert (target / "a" / "名册.txt").read_bytes() == b"x" * 3_000_000
    assert (target / "a" / "空").is_dir()
    assert (target / "a" / "own").stat().st_mode & 0o777 == 0o600
    assert int((target / "a" / "own").stat().st_mtime) == int((source / "a" / "own").stat().st_mtime)


def test_only_what_is_wanted(tmp_path: Path) -> None:
    archive = packed((named("./one"), b"1"), (named("../two"), b"2"))

    unpack(archive, tmp_path, only=lambda name: name == "./one")

    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize(
    "member",
    [
        named("../out"),
        named("a/../../out"),
        named("/tmp/out"),
        named("a\\..\\out"),
        named("."),
        named("link", tarfile.SYMTYPE, linkname="/etc"),
        named("link", tarfile.LNKTYPE, linkname="good"),
        named("pipe", tarfile.FIFOTYPE),
        named("device", tarfile.CHRTYPE),
    ],
    ids=lambda member: f"{member.name} {member.type!r}",
)
def test_what_leads_out_leaves_nothing(tmp_path: Path, member: tarfile.TarInfo) -> None:
    folder = tmp_path / "in"
    archive = packed((named("good"), b"good"), (member, b""))

    with pytest.raises(tarfile.ReadError):
        unpack(archive, folder)

    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
