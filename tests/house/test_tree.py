# SPDX-License-Identifier: Apache-2.0
"""The files themselves: each rule of tools/check_tree.py holds for this tree and sees what breaks it."""

import pytest

from tools import check_tree
from tools.check_tree import RULES, Rule

LICENCE = check_tree.LICENCE
BESIDE = check_tree.ROOT.parent.as_posix()
BAD = {
    "licence_line_comes_first": {"src/muster/x.py": '"""No licence line."""\n'},
    "no_file_grows_past_bounds": {"web/apps/desk/src/x.vue": "line\n" * 501},
    "names_say_what_is_inside": {"src/muster/places/utils.py": LICENCE},
    "lock_files_name_no_registry": {"requirements/dev.txt": "--index-url https://pypi.example/simple\n"},
    "no_path_of_a_machine": {"docs/x.md": "see /home/" + "somebody/muster\n"},
    "nothing_is_left_unfinished": {"src/muster/x.py": f"{LICENCE}\n# TO" + "DO later\n"},
}


@pytest.fixture(scope="module")
def tree() -> dict[str, str]:
    return check_tree.read_tree()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule, tree: dict[str, str]) -> None:
    assert list(rule(tree)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_sees_what_breaks_it(rule: Rule) -> None:
    """Negative control."""
    assert list(rule(BAD[rule.__name__]))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("web/package-lock.json", '"resolved": "x"'),
        ("web/.npmrc", "registry = x"),
        ("Makefile", "pip install --index-url x"),
        (".ci/run", "PIP_INDEX_URL=x make test"),
    ],
)
def test_a_registry_is_seen_wherever_it_is_named(name: str, text: str) -> None:
    assert list(check_tree.lock_files_name_no_registry({name: text}))
