# SPDX-License-Identifier: Apache-2.0
"""Hand: a worker and his phone together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.drill.device import DeviceClient
from muster.drill.play.crew import Crew, Worker
from muster.drill.play.phones import Trouble
from muster.drill.play.visits import Visit

PULL_SECONDS = 8.0
LOOK_SECONDS = 90.0


@dataclass(slots=True)
class Hand:
    """due: when the phone may speak again; is_busy: it speaks just now, in another thread."""

    phone: DeviceClient
    crew: Crew
    worker: Worker
    trouble: Trouble
    due: float = 0.0
    pulled_at: float = 0.0
    recorded: int = 0
    is_busy: bool = False

    def record(self, visit: Visit, *, at: datetime) -> None:
        """Writes a visit into the phone, under the phone's own clock."""
        ids: list[str] = []
        for said in visit.said:
            body = said.body if said.undoes is None else {**said.body, "fact": ids[said.undoes]}
            ids.append(self.phone.record(said.kind, said.subject, body, at=at + self.trouble.shift))
        self.recorded += len(ids)

    def has_something(self, here: float) -> bool:
        on_phone, uploaded, _ = self.phone.counts
        return on_phone > 0 or uploaded > 0 or here - self.pulled_at > LOOK_SECONDS

    def talk(self, here: float, *, at: datetime, twice: bool) -> tuple[dict[str, Any] | None, int]:
        """Sends, and pulls now and then; answers what was pulled and how many facts were taken."""
        sent = self.phone.send(at=at, clock=here, twice=twice)
        if here - self.pulled_at < PULL_SECONDS:
            return None, sent
        self.pulled_at = here
        return self.phone.pull(), sent

    def free(self) -> None:
        self.is_busy = False

    def told(self) -> dict[str, Any]:
        """What the page shows of a worker."""
        on_phone, uploaded, _ = self.phone.counts
        place = self.crew.notebook.buildings.get(self.worker.at.building) if self.worker.at else None
        mine = len(self.worker.todo) + len(self.crew.returns) // len(self.crew.workers)
        return {
            "name": self.phone.name,
            "grid": self.crew.grid,
            "left": mine,
            "recorded": self.recorded,
            "unsent": on_phone,
            "waiting": uploaded,
            "online": self.phone.online,
            "lon": place.lon if place else None,
            "lat": place.lat if place else None,
            "door": self.worker.at.label if self.worker.at else None,
        }
