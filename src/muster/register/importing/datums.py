# SPDX-License-Identifier: Apache-2.0
"""Coordinates as maps in China write them, brought to WGS-84: GCJ-02 (most maps) and BD-09 (one map's own).

The shift is only defined one way, from WGS-84; the way back is found by repeating it, to better than a
centimetre.
"""

from __future__ import annotations

import math

_A = 6378245.0  # semi-major axis of the Krasovsky 1940 ellipsoid, which the shift is defined on
_EE = 0.00669342162296594323
_BD_TURN = math.pi * 3000.0 / 180.0
_ROUNDS = 12


def to_wgs84(lon: float, lat: float, *, datum: str) -> tuple[float, float]:
    """Return longitude and latitude in WGS-84. datum: wgs84, gcj02 or bd09."""
    if datum == "bd09":
        lon, lat = _gcj02_of_bd09(lon, lat)
    if datum in ("gcj02", "bd09") and in_china(lon, lat):
        return _unshifted(lon, lat)
    return lon, lat


def gcj02_of(lon: float, lat: float) -> tuple[float, float]:
    """The shifted place of a WGS-84 point; outside China nothing is shifted."""
    if not in_china(lon, lat):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    waves = 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (waves + 20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (waves + 20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    angle = math.radians(lat)
    magic = 1.0 - _EE * math.sin(angle) ** 2
    root = math.sqrt(magic)
    lat_shift = math.degrees(north / ((_A * (1.0 - _EE)) / (magic * root)))
    lon_shift = math.degrees(east / (_A / root * math.cos(angle)))
    return lon + lon_shift, lat + lat_shift


def bd09_of_gcj02(lon: float, lat: float) -> tuple[float, float]:
    reach = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_TURN)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_TURN)
    return reach * math.cos(angle) + 0.0065, reach * math.sin(angle) + 0.006


def in_china(lon: float, lat: float) -> bool:
    """The box within which Chinese maps are shifted."""
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def _unshifted(lon: float, lat: float) -> tuple[float, float]:
    guess_lon, guess_lat = lon, lat
    for _ in range(_ROUNDS):
        shifted_lon, shifted_lat = gcj02_of(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - shifted_lon, guess_lat + lat - shifted_lat
    return guess_lon, guess_lat


def _gcj02_of_bd09(lon: float, lat: float) -> tuple[float, float]:
    guess_lon, guess_lat = lon, lat
    for _ in range(_ROUNDS):
        turned_lon, turned_lat = bd09_of_gcj02(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - turned_lon, guess_lat + lat - turned_lat
    return guess_lon, guess_lat
