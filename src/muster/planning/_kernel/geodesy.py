# SPDX-License-Identifier: Apache-2.0
"""Short distances on WGS-84: segment lengths in decimetres and a flat map around a place.

Both use the radii of curvature of the ellipsoid at a latitude. For segments of a street (below one
kilometre) the error is under a millimetre per kilometre; the flat map of a city is only for deciding
which street is nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints

_EQUATOR_RADIUS_M = 6_378_137.0
_ECCENTRICITY_SQUARED = 6.694379990141316e-3


def metres_per_degree(lat: Floats) -> tuple[Floats, Floats]:
    """Return metres per degree of longitude and of latitude at each latitude."""
    phi = np.radians(lat)
    squeeze = 1.0 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    across = _EQUATOR_RADIUS_M / np.sqrt(squeeze)
    along = _EQUATOR_RADIUS_M * (1.0 - _ECCENTRICITY_SQUARED) / squeeze**1.5
    degree = np.pi / 180.0
    return across * np.cos(phi) * degree, along * degree


def lengths_dm(lon_a: Floats, lat_a: Floats, lon_b: Floats, lat_b: Floats) -> Ints:
    """Return the length of each short segment in decimetres, at least one."""
    east_m, north_m = metres_per_degree((lat_a + lat_b) / 2.0)
    metres = np.hypot((lon_b - lon_a) * east_m, (lat_b - lat_a) * north_m)
    return np.maximum(1, np.rint(metres * 10.0)).astype(np.int32)


@dataclass(frozen=True, slots=True)
class FlatMap:
    """A flat map in metres around one point: enough to find what is nearest within a city."""

    lon: float
    lat: float

    @classmethod
    def around(cls, lon: Floats, lat: Floats) -> FlatMap:
        return cls(float(lon.min() + lon.max()) / 2.0, float(lat.min() + lat.max()) / 2.0)

    def place(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Return metres east and north of the middle."""
        east_m, north_m = metres_per_degree(np.asarray([self.lat]))
        return (np.asarray(lon) - self.lon) * east_m[0], (np.asarray(lat) - self.lat) * north_m[0]
