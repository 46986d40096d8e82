# SPDX-License-Identifier: Apache-2.0
"""Measure all planning engines, one after the other, each in a process of its own; then print one table.

python -m benchmarks.planning [ENGINE ...] [--show] [--seconds 1500]

`--show` measures nothing and prints what the result files say. An engine without a benchmark, or one whose
benchmark fails, is named, and the others go on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec

from benchmarks.planning.table import as_text, table
from muster.planning.engines import NAMES


def measure(engine: str, seconds: float) -> str | None:
    """Run the benchmark of an engine; returns what went wrong, or None."""
    module = f"benchmarks.planning.{engine}"
    if find_spec(module) is None:
        return "has no benchmark"
    print(f"{engine} …", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module], stdout=subprocess.DEVNULL, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {seconds:.0f} s"
    return None if done.returncode == 0 else f"ended with {done.returncode}"


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("engines", nargs="*", choices=[*NAMES, []], default=[], metavar="ENGINE")
    words.add_argument("--show", action="store_true", help="only print what was measured before")
    words.add_argument("--seconds", type=float, default=1_500.0, help="the longest that one engine may take")
    asked = words.parse_args()
    engines = asked.engines or list(NAMES)
    faults = [] if asked.show else [(engine, measure(engine, asked.seconds)) for engine in engines]
    print(as_text(table(engines=engines)))
    wrong = [(engine, fault) for engine, fault in faults if fault]
    for engine, fault in wrong:
        print(f"{engine}: {fault}; the row above is of an earlier run, if there is one", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
