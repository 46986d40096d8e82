# SPDX-License-Identifier: Apache-2.0
"""Streets from KML (also gzip) and GeoJSON files: lines of WGS-84 points with a kind and a name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from defusedxml import DefusedXmlException, ElementTree

from muster.planning._kernel.arrays import Floats
from muster.planning._kernel.files import read_text
from muster.planning.contract import BadProblem

_KML = "{http://www.opengis.net/kml/2.2}"


@dataclass(frozen=True, slots=True, eq=False)
class Road:
    """One line of street as surveyed: its points, its kind (`primary`, `footway`, …) and its name."""

    lon: Floats
    lat: Floats
    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Roads:
    """The lines of a file; `skipped` counts what was no line of two points or more."""

    lines: tuple[Road, ...]
    skipped: int = field(default=0)


def read_roads(path: Path) -> Roads:
    """Read a KML, KML.gz or GeoJSON file; raises BadProblem."""
    text = read_text(path)
    if text.lstrip().startswith("<"):
        return _collect(_kml_lines(text, path.name))
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    return roads_from_geojson(raw)


def roads_from_geojson(raw: Any) -> Roads:
    """Read a GeoJSON object (FeatureCollection, Feature or a bare geometry); raises BadProblem."""
    if not isinstance(raw, dict):
        raise BadProblem("roads", "", "planning.cure.object")
    return _collect(_geojson_lines(raw))


def _collect(lines: Iterator[Road | None]) -> Roads:
    kept: list[Road] = []
    skipped = 0
    for line in lines:
        if line is None or len(line.lon) < 2:
            skipped += 1
        else:
            kept.append(line)
    if not kept:
        raise BadProblem("roads", "", "planning.cure.not_empty")
    return Roads(tuple(kept), skipped)


def _kml_lines(text: str, file_name: str) -> Iterator[Road | None]:
    try:
        for _, element in ElementTree.iterparse(BytesIO(text.encode()), events=("end",)):
            if element.tag == f"{_KML}Placemark":
                yield from _placemark_lines(element)
                element.clear()
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise BadProblem("", file_name, "planning.cure.file_form", allowed="KML, GeoJSON") from error


def _placemark_lines(placemark: Any) -> Iterator[Road | None]:
    facts = _placemark_facts(placemark)
    kind = str(facts.get("fclass") or facts.get("highway") or "")
    name = str(facts.get("Name") or facts.get("name") or placemark.findtext(f"{_KML}name") or "")
    for line in placemark.iter(f"{_KML}LineString"):
        coordinates = line.findtext(f"{_KML}coordinates") or ""
        points = [tuple(point.split(",")[:2]) for point in coordinates.split()]
        yield _road(points, kind, name)


def _placemark_facts(placemark: Any) -> dict[str, Any]:
    """Return what a placemark says of itself: ExtendedData, or a JSON object in its description."""
    facts: dict[str, Any] = {}
    for entry in placemark.iter(f"{_KML}SimpleData"):
        facts[entry.get("name", "")] = entry.text
    for entry in placemark.iter(f"{_KML}Data"):
        facts[entry.get("name", "")] = entry.findtext(f"{_KML}value")
    try:
        described = json.loads(placemark.findtext(f"{_KML}description") or "null")
    except ValueError:
        described = None
    return facts | described if isinstance(described, dict) else facts


def _geojson_lines(raw: dict[str, Any]) -> Iterator[Road | None]:
    kind = raw.get("type")
    if kind == "FeatureCollection":
        features = raw.get("features")
        if not isinstance(features, list):
            raise BadProblem("features", "", "planning.cure.list")
        for feature in features:
            yield from _geojson_lines(feature if isinstance(feature, dict) else {})
    elif kind == "Feature":
        yield from _geometry_lines(raw.get("geometry"), raw.get("properties"))
    else:
        yield from _geometry_lines(raw, None)


def _geometry_lines(geometry: Any, properties: Any) -> Iterator[Road | None]:
    facts = properties if isinstance(properties, dict) else {}
    kind = str(facts.get("fclass") or facts.get("highway") or facts.get("kind") or "")
    name = str(facts.get("name") or facts.get("Name") or "")
    shape = geometry if isinstance(geometry, dict) else {}
    coordinates = shape.get("coordinates")
    if shape.get("type") == "LineString" and isinstance(coordinates, list):
        yield _road(coordinates, kind, name)
    elif shape.get("type") == "MultiLineString" and isinstance(coordinates, list):
        for line in coordinates:
            yield _road(line, kind, name)
    else:
        yield None


def _road(points: Any, kind: str, name: str) -> Road:
    """Return a line from its points; raises BadProblem for a point that is none on the globe."""
    if not isinstance(points, list):
        raise BadProblem("coordinates", name, "planning.cure.list")
    lon, lat = np.empty(len(points)), np.empty(len(points))
    for i, point in enumerate(points):
        try:
            east, north = float(point[0]), float(point[1])
        except (TypeError, ValueError, IndexError, KeyError) as error:
            raise BadProblem("coordinates", f"{name}[{i}]", "planning.network.point") from error
        if not (math.isfinite(east) and abs(east) <= 180 and abs(north) <= 90):
            raise BadProblem("coordinates", f"{name}[{i}]", "planning.network.point")
        lon[i], lat[i] = east, north
    return Road(lon, lat, kind, name)
