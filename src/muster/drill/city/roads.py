# SPDX-License-Identifier: Apache-2.0
"""Real streets from a file: KML, KML.gz or GeoJSON, read within bounds, refused with a reason.

A `RoadNetwork` is the streets as read: name, OpenStreetMap class, polyline in WGS-84. Tunnels are left out,
since people live above them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml import DefusedXmlException

from muster.base.errors import Refusal
from muster.drill.city.model import Line, Road

MOST_BYTES = 256 * 1024 * 1024  # unpacked
MOST_POINTS = 4_000_000
PIECE = 1 << 16


@dataclass(frozen=True)
class RoadNetwork:
    """Streets as polylines, WGS-84."""

    roads: tuple[Road, ...]


class _Bounded(io.RawIOBase):
    """A stream that stops a file larger than the bound, whatever its packed size said."""

    def __init__(self, source: BinaryIO, most: int, name: str) -> None:
        super().__init__()
        self._source, self._left, self._most, self._name = source, most, most, name

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        piece = self._source.read(min(len(target), PIECE))
        self._left -= len(piece)
        if self._left < 0:
            raise Refusal("drill.roads_too_large", file=self._name, most=self._most)
        target[: len(piece)] = piece
        return len(piece)


def read_roads(
    path: str | Path, *, most_bytes: int = MOST_BYTES, most_points: int = MOST_POINTS
) -> RoadNetwork:
    """Read a street file. Refuses what it cannot read, what is too large, and what holds no street."""
    path = Path(path)
    reader = _reader(path)
    roads: list[Road] = []
    points = 0
    try:
        with _opened(path) as source:
            for road in reader(io.BufferedReader(_Bounded(source, most_bytes, path.name))):
                points += len(road.points)
                if points > most_points:
                    raise Refusal("drill.roads_too_large", file=path.name, most=most_points)
                roads.append(road)
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal("drill.roads_unreadable", file=path.name, reason=type(error).__name__) from error
    except (ParseError, DefusedXmlException, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal("drill.roads_unreadable", file=path.name, reason=str(error)[:200]) from error
    if not roads:
        raise Refusal("drill.roads_empty", file=path.name)
    return RoadNetwork(tuple(roads))


def _opened(path: Path) -> BinaryIO:
    if path.name.lower().endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _reader(path: Path) -> Any:
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".kml"):
        return _kml_roads
    if name.endswith((".geojson", ".json")):
        return _geojson_roads
    raise Refusal("drill.roads_kind_unknown", file=path.name, known=".kml .kml.gz .geojson .geojson.gz")


def _kml_roads(source: BinaryIO) -> Iterator[Road]:
    for _, node in SafeTree.iterparse(source, events=("end",), forbid_dtd=True):
        if _tag(node) != "Placemark":
            continue
        facts = _kml_facts(node)
        for line in node.iter():
            if _tag(line) == "LineString":
                text = next((c.text or "" for c in line.iter() if _tag(c) == "coordinates"), "")
                yield from _road(facts, [tuple(map(float, p.split(",")[:2])) for p in text.split()])
        node.clear()


def _tag(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _kml_facts(placemark: Any) -> dict[str, Any]:
    """Name and class of a placemark: from its name, its data fields, or a JSON description."""
    facts: dict[str, Any] = {}
    for node in placemark.iter():
        tag, text = _tag(node), (node.text or "").strip()
        if tag == "name":
            facts.setdefault("name", text)
        elif tag == "SimpleData":
            facts[str(node.get("name", "")).lower()] = text
        elif tag == "Data":
            value = next((c.text or "" for c in node if _tag(c) == "value"), "")
            facts[str(node.get("name", "")).lower()] = value.strip()
        elif tag == "description" and text.startswith("{"):
            told = json.loads(text)
            if isinstance(told, dict):
                facts.update({str(key).lower(): value for key, value in told.items()})
    return facts


def _geojson_roads(source: BinaryIO) -> Iterator[Road]:
    told = json.loads(source.read().decode("utf-8"))
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, list):
        raise TypeError("no list of features")
    for feature in features:
        if not isinstance(feature, dict):
            raise TypeError("a feature is no object")
        shape = feature.get("geometry") or {}
        facts = {str(k).lower(): v for k, v in (feature.get("properties") or {}).items()}
        if shape.get("type") == "LineString":
            yield from _road(facts, [_pair(p) for p in shape.get("coordinates") or []])
        elif shape.get("type") == "MultiLineString":
            for part in shape.get("coordinates") or []:
                yield from _road(facts, [_pair(p) for p in part])


def _pair(point: Any) -> tuple[float, ...]:
    if not isinstance(point, list) or len(point) < 2:
        raise ValueError("a coordinate is no pair of numbers")
    if not all(isinstance(c, int | float) and not isinstance(c, bool) for c in point[:2]):
        raise ValueError("a coordinate is no pair of numbers")
    return float(point[0]), float(point[1])


def _road(facts: Mapping[str, Any], points: list[tuple[float, ...]]) -> Iterator[Road]:
    """One road, if the polyline is one and lies on the earth's surface."""
    if str(facts.get("tunnel", "")).upper() in {"T", "YES", "TRUE", "1"}:
        return
    line: list[tuple[float, float]] = []
    for point in points:
        if len(point) != 2 or not all(map(math.isfinite, point)):
            raise ValueError("a coordinate is no pair of numbers")
        lon, lat = point
        if not (-180 <= lon <= 180 and -85 <= lat <= 85):
            raise ValueError(f"coordinate {lon}, {lat} is not in degrees")
        if not line or line[-1] != (lon, lat):
            line.append((lon, lat))
    if len(line) >= 2:
        klass = str(facts.get("fclass") or facts.get("highway") or "unclassified")
        yield Road(str(facts.get("name") or "").strip(), klass, _rounded(line))


def _rounded(line: list[tuple[float, float]]) -> Line:
    return tuple((round(lon, 7), round(lat, 7)) for lon, lat in line)


def read_township_names(path: str | Path, *, area_code: str | None = None) -> tuple[str, ...]:
    """Names of sub-districts from a CSV with the columns `code` and `name`, in the order of their codes.

    `area_code` keeps those of one district or city, by the beginning of the code.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            rows = list(csv.DictReader(source))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal("drill.townships_unreadable", file=path.name, reason=type(error).__name__) from error
    if not rows or not {"code", "name"} <= set(rows[0]):
        raise Refusal("drill.townships_unreadable", file=path.name, reason="code, name")
    chosen = sorted((r["code"], r["name"]) for r in rows if not area_code or r["code"].startswith(area_code))
    if not chosen:
        raise Refusal("drill.townships_unreadable", file=path.name, reason=str(area_code))
    return tuple(name for _, name in chosen)
