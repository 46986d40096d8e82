# SPDX-License-Identifier: Apache-2.0
"""Running the demo: the house's processes and the day player, and the address on the terminal."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
from django.conf import settings
from rich.console import Console
from rich.panel import Panel

from muster.cli.processes import stop_event
from muster.cli.supervisor import Process, Supervisor, house_processes, muster, warming_up


def run_demo(*, speed: int | None = None) -> None:
    """Starts web, intake, fold, worker and the player; prints the address when the house answers."""
    from muster.drill.staging import refresh_addresses

    refresh_addresses(speed=speed)
    house = Supervisor([*house_processes(), Process("player", muster("play")), warming_up()])
    threading.Thread(target=_announce, daemon=True).start()
    house.run()


def demo_file() -> Path:
    return Path(settings.ENVIRONMENT.data) / "demo.json"


def _announce() -> None:
    origin = settings.ENVIRONMENT.web_origin
    # Ask ourselves whether we answer; the certificate's name is not the question here.
    with httpx.Client(verify=False, timeout=2.0) as http:  # noqa: S501
        for _ in range(600):
            try:
                if http.get(f"{origin}/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
    demo = msgspec.json.decode(demo_file().read_bytes())
    lines = [f"[bold]{origin}/welcome/[/bold]", "", "演练 Drill · 编造的人和事 made-up people", ""]
    lines += [
        f"{role:10} {login['username']:14} {login['password']}"
        for role, login in demo["logins"].items()
        if login.get("password")
    ]
    lines += ["", f"worker's phone  {demo['worker_url']}", "Ctrl-C ends everything."]
    Console().print(Panel("\n".join(lines), title="Muster 每一户"))


def run_player() -> None:
    """Plays the day until told to stop."""
    from muster.drill.play.player import Player
    from muster.drill.staging import city_of, day_of

    stop = stop_event()
    demo = msgspec.json.decode(demo_file().read_bytes())
    folder = Path(settings.ENVIRONMENT.data) / "drill"
    # The city is made again while the house is still starting.
    player = Player(
        demo, city_of(demo), day_of(demo), folder, seed=demo["seed"], language=demo.get("language", "zh")
    )
    while not stop.is_set() and not _house_answers(demo):
        stop.wait(0.3)
    if not stop.is_set():
        player.run(stop.is_set)


def _house_answers(demo: dict[str, Any]) -> bool:
    with httpx.Client(verify=False, timeout=2.0) as http:  # noqa: S501
        try:
            return all(http.get(f"{demo[part]}/readyz").status_code == 200 for part in ("web", "intake"))
        except httpx.HTTPError:
            return False
