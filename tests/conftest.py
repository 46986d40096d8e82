# SPDX-License-Identifier: Apache-2.0
"""Every test run has a data folder of its own; nothing of the machine's own Muster is touched."""

import os
import tempfile
from pathlib import Path

_FOLDER = tempfile.mkdtemp(prefix="muster-tests-")
for _name in [
    n
    for n in os.environ
    if n.startswith("MUSTER_") and n not in {"MUSTER_REQUIRE", "MUSTER_TEST_DATABASE_URL"}
]:
    del os.environ[_name]
os.environ["MUSTER_DATA"] = _FOLDER
if os.environ.get("MUSTER_TEST_DATABASE_URL"):
    os.environ["MUSTER_DATABASE_URL"] = os.environ["MUSTER_TEST_DATABASE_URL"]

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
