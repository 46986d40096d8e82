# SPDX-License-Identifier: Apache-2.0
"""Every page of the desk, read from its own router, and what must not be seen on any of them."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page

from tests.conftest import REPOSITORY
from tests.support.house import House

ROUTER = REPOSITORY / "web" / "apps" / "desk" / "src" / "router.ts"
# Pages of one thing that a fresh city does not hold: they have journeys of their own.
NOT_THERE_YET = {"plans/:plan", "placement/:plan", "placement/:plan/print", "trips/:id/print",
                 "paper/returns/:back", "paper/:code", "transfer/imports/:import"}  # fmt: skip
# What a person sees as a fault on any page: wider than the screen, a key instead of a sentence, a nameless
# button, a frame that hides a part of itself without a word of it.
FAULTS = r"""() => {
  const found = [], root = document.documentElement;
  const over = root.scrollWidth - root.clientWidth;
  if (over > 0) {
    const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
    found.push(`wider by ${over}: ${wide.slice(-3).map((e) => e.outerHTML.slice(0, 80)).join(' | ')}`);
  }
  const keys = document.body.innerText.match(/(?<![\w./@-])[a-z_]{3,}(\.[a-z_]{2,}){1,3}(?![\w/@.-])/g) ?? [];
  found.push(...keys.filter((key) => key.includes('_') || key.split('.').length > 2).map((key) => `a key: ${key}`));
  for (const button of document.querySelectorAll('button, a[href], [role=button]')) {
    const name = button.innerText?.trim() || button.ariaLabel || button.title || button.querySelector('img')?.alt;
    if (!name && button.getClientRects().length) found.push(`no name: ${button.outerHTML.slice(0, 120)}`);
  }
  for (const frame of document.querySelectorAll('main *')) {
    const style = getComputedStyle(frame);
    if (!/auto|scroll/.test(style.overflowX) || frame.scrollWidth <= frame.clientWidth + 2) continue;
    if (!frame.matches('.m-scrolls, .el-tabs__nav-scroll')) found.push(`scrolls unsaid: ${frame.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""  # noqa: E501


# Skeletons come after a while only: what a page says has to stay the same from one look to the next.
AT_REST = """() => {
  const [before, now] = [window.lastLook, `${location.href} ${document.body.innerText}`];
  window.lastLook = now;
  return before === now && !document.querySelector('.m-skeleton, [aria-busy=true]');
}"""


def desk_paths(house: House) -> list[str]:
    """The address of every page, with things of this city in it."""
    known = {
        "rounds/:id": f"rounds/{house.demo['round']}",
        "kinds/:key": f"kinds/{_a_kind(house)}",
        "grids/:grid": f"grids/{house.demo['grids'][0]}",
        "rounds/:id/missing/print": f"rounds/{house.demo['round']}/missing/print",
        "rounds/:id/grids/:grid/certificate": (
            f"rounds/{house.demo['round']}/grids/{house.demo['grids'][0]}/certificate"
        ),
    }
    named = re.findall(r"path: '/?([^']*)', component", ROUTER.read_text(encoding="utf-8"))
    paths = [known.get(one, one) for one in named if one not in NOT_THERE_YET and one != "sign-in"]
    unknown = [one for one in paths if ":" in one]
    assert not unknown, f"say what stands for these in tests/support/desk_pages.py: {unknown}"
    tabs = [f"rounds/{house.demo['round']}?tab={tab}" for tab in ("parts", "buildings", "people", "paper")]
    return list(dict.fromkeys([*paths, *tabs]))


def _a_kind(house: House) -> str:
    kinds: list[dict[str, Any]] = house.read("/campaign-kinds", role="desk")["items"]
    return str(kinds[0]["key"])


def go_to(page: Page, path: str) -> None:
    """By the desk's own router, as a click does; the page has come to rest afterwards."""
    page.evaluate(
        """path => document.querySelector('#app').__vue_app__.config.globalProperties.$router.push(path)""",
        f"/{path}",
    )
    page.locator("main h1, main h2").first.wait_for()
    page.wait_for_function(AT_REST, polling=150)


def faults_on(page: Page) -> list[str]:
    return [str(one) for one in page.evaluate(FAULTS)]
