# SPDX-License-Identifier: Apache-2.0
"""Add up the JUnit files of a run and say the sum as the last line: `N passed, N failed, N skipped`.

`tools/count_tests.py FOLDER STATUS`: fails where a test failed, where STATUS is not 0, and where no test ran.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from defusedxml.ElementTree import parse


def count(folder: Path) -> dict[str, Counter[str]]:
    """runner -> how many of its tests passed, failed, were skipped."""
    found: dict[str, Counter[str]] = {}
    for path in sorted(folder.glob("*.xml")):
        told: Counter[str] = Counter()
        for case in parse(path).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            told[
                "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            ] += 1
        found[path.stem] = told
    return found


def sentence(told: Counter[str]) -> str:
    said = f"{told['passed']} passed, {told['failed']} failed"
    return f"{said}, {told['skipped']} skipped" if told["skipped"] else said


def main(folder: Path, status: int) -> int:
    found = count(folder)
    whole = sum(found.values(), Counter())
    for runner, told in found.items():
        sys.stdout.write(f"{runner:10} {sentence(told)}\n")
    if status and not whole["failed"]:
        sys.stdout.write("no test failed, but a step did: see the lines that begin with !!\n")
    sys.stdout.write(sentence(whole) + "\n")
    return 1 if status or whole["failed"] or not whole["passed"] else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), int(sys.argv[2])))
