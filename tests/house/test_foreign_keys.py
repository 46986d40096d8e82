# SPDX-License-Identifier: Apache-2.0
"""Foreign keys point the way imports do, and leave nothing behind on the storey below."""

import tomllib
from collections.abc import Iterator

import pytest
from django.apps import apps

from tests.conftest import REPOSITORY


def storeys() -> dict[str, int]:
    """app name -> its height, as the import contract says."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "storeys")
    heights: dict[str, int] = {}
    for height, layer in enumerate(reversed(contract["layers"])):
        for name in layer.replace("|", " ").replace("(", " ").replace(")", " ").split():
            heights[f"muster.{name}"] = height
    return heights


def breaches(heights: dict[str, int]) -> Iterator[str]:
    for model in apps.get_models():
        home = model._meta.app_config.name
        if home not in heights:
            continue
        for field in model._meta.get_fields(include_hidden=True):
            target = field.related_model
            if not field.is_relation or field.auto_created or not isinstance(target, type):
                continue
            there = target._meta.app_config.name
            if there == home or there not in heights:
                continue
            if heights[there] >= heights[home]:
                yield f"{model._meta.label}.{field.name} points up to {there}"
            if field.remote_field.related_name != "+":
                yield f"{model._meta.label}.{field.name} leaves an accessor on {there}"


def test_foreign_keys_point_down() -> None:
    assert list(breaches(storeys())) == []


def test_a_key_that_points_up_would_be_seen() -> None:
    """Negative control: with the house upside down every key between parts points up."""
    upside_down = {name: -height for name, height in storeys().items()}

    assert any("Household.dwelling points up to muster.places" in breach for breach in breaches(upside_down))


def test_an_accessor_on_the_storey_below_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    field = apps.get_model("register", "Household")._meta.get_field("dwelling")
    monkeypatch.setattr(field.remote_field, "related_name", "households")

    assert list(breaches(storeys())) == ["register.Household.dwelling leaves an accessor on muster.places"]
