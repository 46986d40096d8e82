# SPDX-License-Identifier: Apache-2.0
"""SpareCode: the code with which the visitor's phone joins. When it has been used, a fresh one is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

LOOK_SECONDS = 4.0


class SpareCode:
    """Looks at the first grid as its head, over the API."""

    def __init__(self, demo: Mapping[str, Any], http: httpx.Client, *, last: str | None = None) -> None:
        login = demo["logins"]["grid_head"]
        self.http, self.web = http, demo["web"]
        self.headers = {"Authorization": f"Bearer {login['token']}"}
        self.grid = login["grid"]
        self.visitor: str = demo.get("visitor", "Visitor")
        self.code: str = last or demo["worker_code"]
        self.url = f"{self.web}/field/?code={self.code}"
        self.looked_at = float("-inf")

    def is_due(self, here: float) -> bool:
        if here - self.looked_at < LOOK_SECONDS:
            return False
        self.looked_at = here
        return True

    def look(self, *, at: datetime) -> bool:
        """Makes a fresh code when no unused one is left; answers whether it did."""
        answer = self.http.get(f"{self.web}/api/v1/grids/{self.grid}", headers=self.headers)
        if answer.status_code != 200:
            return False
        codes = [c for c in answer.json()["enrol_codes"] if c["worker"] == self.visitor]
        if any(c["used_at"] is None and datetime.fromisoformat(c["expires_at"]) > at for c in codes):
            return False
        made = self.http.post(
            f"{self.web}/api/v1/grids/{self.grid}/enrol-codes",
            json={"worker_name": self.visitor},
            headers=self.headers,
        )
        if made.status_code != 200:
            return False
        self.code, self.url = made.json()["code"], made.json()["url"]
        return True
