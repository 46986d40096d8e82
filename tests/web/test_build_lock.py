# SPDX-License-Identifier: Apache-2.0
"""The lock file names versions and hashes, and no place that they are fetched from."""

import json
import re

from tests.web.built import WEB

LOCK = WEB / "package-lock.json"


def test_lock_names_no_place():
    lock = json.loads(LOCK.read_text())

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert not re.search(r"registry|npmjs|yarnpkg", LOCK.read_text())


def test_lock_has_a_hash_for_each_package():
    packages = json.loads(LOCK.read_text())["packages"]

    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_versions_are_exact():
    package = json.loads((WEB / "package.json").read_text())
    versions = {**package["dependencies"], **package["devDependencies"]}

    assert {name: v for name, v in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", v)} == {}
