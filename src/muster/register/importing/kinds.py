# SPDX-License-Identifier: Apache-2.0
"""The kinds of list that can be brought in, by name."""

from __future__ import annotations

from muster.base.errors import Refusal
from muster.register.importing.areas import Areas
from muster.register.importing.buildings import Buildings
from muster.register.importing.dwellings import Dwellings
from muster.register.importing.forms import FORMS, form_of
from muster.register.importing.households import Households
from muster.register.importing.kind import Kind
from muster.register.importing.needs import Needs
from muster.register.importing.persons import Persons

KINDS: dict[str, Kind] = {
    kind.form.kind: kind for kind in (Areas(), Buildings(), Dwellings(), Households(), Persons(), Needs())
}
BY_ENTITY: dict[str, Kind] = {kind.entity: kind for kind in KINDS.values()}


def add_kind(kind: Kind) -> None:
    """A list of an app above the register, which the register does not know by itself."""
    FORMS[kind.form.kind] = kind.form
    KINDS[kind.form.kind] = BY_ENTITY[kind.entity] = kind


def kind_named(name: str) -> Kind:
    """Raises Refusal import_kind_unknown, or import_kind_later for one that has a template but no place
    yet.
    """
    form = form_of(name)
    if name not in KINDS:
        raise Refusal("import_kind_later", kind_zh=form.zh, kind_en=form.en)
    return KINDS[name]
