# SPDX-License-Identifier: Apache-2.0
"""Real streets from a file."""

from __future__ import annotations

from dataclasses import dataclass

from muster.drill.city.model import Road


@dataclass(frozen=True)
class RoadNetwork:
    """Streets as polylines, WGS-84."""

    roads: tuple[Road, ...]
