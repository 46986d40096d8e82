# SPDX-License-Identifier: Apache-2.0
"""Who lives together: household shapes with ages that make sense (parents are 18 to 45 years older).

A `Member` is a person in the making. The head comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from muster.drill.city.draws import Draws

OLDEST = 101.0


@dataclass(slots=True)
class Member:
    relation: str
    sex: str
    age: float
    line: str = "a"  # whose family name: a the head's, b the spouse's, own each for themselves


Shape = Callable[[Draws], list[Member]]


def _sex(draws: Draws, women: float = 0.5) -> str:
    return "F" if draws.chance(women) else "M"


def _father_age(draws: Draws, mother: float, youngest: float, oldest: float) -> float:
    """The father's age: some years off the mother's, 18 to 45 years above every child."""
    age = mother + draws.bell(-3, 2, 8)
    return min(max(age, oldest + 19), youngest + 44.5, OLDEST)


def _parents(draws: Draws, children: list[float]) -> tuple[Member, Member]:
    eldest, youngest = max(children), min(children)
    mother = eldest + draws.bell(20, 27.5, 37)
    mother = min(mother, youngest + 44.0)
    father = _father_age(draws, mother, youngest, eldest)
    return Member("head", "M", father, "a"), Member("spouse", "F", mother, "b")


def _child_age(draws: Draws) -> float:
    """The age of an only or first child at home: mostly a minor, now and then grown up."""
    if draws.chance(0.80):
        return draws.within(0, 20)
    return draws.within(20, 38)


def _head_first(draws: Draws, head: Member, spouse: Member, women: float = 0.3) -> list[Member]:
    """Either may stand first in the book; family names stay with their owners."""
    if draws.chance(women):
        head.relation, spouse.relation = "spouse", "head"
        return [spouse, head]
    return [head, spouse]


def couple_child(draws: Draws) -> list[Member]:
    age = _child_age(draws)
    head, spouse = _parents(draws, [age])
    return [*_head_first(draws, head, spouse), Member("child", _sex(draws, 0.48), age)]


def couple_two(draws: Draws) -> list[Member]:
    younger = draws.within(0, 17)
    elder = younger + draws.bell(1.3, 3.5, 8)
    head, spouse = _parents(draws, [elder, younger])
    children = [Member("child", _sex(draws, 0.48), age) for age in (elder, younger)]
    return [*_head_first(draws, head, spouse), *children]


def couple_three(draws: Draws) -> list[Member]:
    youngest = draws.within(0, 13)
    middle = youngest + draws.bell(1.3, 2.5, 5)
    elder = middle + draws.bell(1.3, 2.5, 5)
    head, spouse = _parents(draws, [elder, youngest])
    children = [Member("child", _sex(draws, 0.48), age) for age in (elder, middle, youngest)]
    return [*_head_first(draws, head, spouse), *children]


def couple(draws: Draws) -> list[Member]:
    woman = draws.bell(22, 29, 50)
    man = max(22.0, woman + draws.bell(-4, 1.5, 8))
    return _head_first(draws, Member("head", "M", man, "a"), Member("spouse", "F", woman, "b"))


def empty_nest(draws: Draws) -> list[Member]:
    woman = draws.bell(50, 62, 88)
    man = min(woman + draws.bell(-4, 2, 8), OLDEST)
    return _head_first(draws, Member("head", "M", man, "a"), Member("spouse", "F", woman, "b"))


def three_generations(draws: Draws) -> list[Member]:
    age = draws.within(0, 21)
    children = [age] if draws.chance(0.72) else [age, age + draws.bell(1.3, 3, 7)]
    head, spouse = _parents(draws, children)
    mother_of_head = draws.bell(19, 24, 33)
    grandmother = head.age + mother_of_head
    grandfather = grandmother + draws.bell(-3, 2, 7)
    elders = [
        Member("parent", "F", grandmother, "own"),
        Member("parent", "M", min(max(grandfather, head.age + 19), head.age + 44.5), "a"),
    ]
    elders = [e for e in elders if e.age < 96 and draws.chance(0.82)] or [elders[0]]
    for elder in elders:
        elder.age = min(elder.age, OLDEST)
    young = [Member("child", _sex(draws, 0.48), a) for a in children]
    return [head, spouse, *young, *elders]


def single_parent(draws: Draws) -> list[Member]:
    age = draws.within(1, 24)
    women = draws.chance(0.76)
    parent = age + (draws.bell(20, 27, 40) if women else draws.bell(21, 29, 44))
    return [Member("head", "F" if women else "M", parent, "a"), Member("child", _sex(draws, 0.48), age)]


def single(draws: Draws) -> list[Member]:
    return [Member("head", _sex(draws, 0.46), draws.bell(19, 29, 63))]


def elder_alone(draws: Draws) -> list[Member]:
    return [Member("head", _sex(draws, 0.66), draws.bell(65.2, 72, 97))]


def grandparents_child(draws: Draws) -> list[Member]:
    age = draws.within(2, 15)
    woman = age + draws.bell(44, 52, 64)
    man = woman + draws.bell(-2, 2, 6)
    head, spouse = Member("head", "M", man, "a"), Member("spouse", "F", woman, "b")
    return [head, spouse, Member("grandchild", _sex(draws, 0.48), age)]


def roommates(draws: Draws) -> list[Member]:
    count = 2 if draws.chance(0.55) else draws.between(3, 4)
    women = draws.chance(0.5)
    first = draws.bell(19, 24, 42)
    ages = [first, *(max(18.0, first + draws.within(-4, 5)) for _ in range(count - 1))]
    return [
        Member(
            "head" if k == 0 else "roommate", "F" if draws.chance(0.9 if women else 0.1) else "M", a, "own"
        )
        for k, a in enumerate(ages)
    ]


def dormitory(draws: Draws) -> list[Member]:
    sex = _sex(draws)
    count = draws.between(3, 7)
    students = draws.chance(0.55)
    ages = [draws.bell(18, 19.5, 24) if students else draws.bell(18, 24, 48) for _ in range(count)]
    return [Member("resident", sex, age, "own") for age in ages]


def room_single(draws: Draws) -> list[Member]:
    if draws.chance(0.02):  # a pupil of an upper school who rents alone
        return [Member("head", _sex(draws), draws.within(15, 18))]
    return [Member("head", _sex(draws, 0.42), draws.bell(18, 26, 60))]


def care_room(draws: Draws) -> list[Member]:
    return [Member("resident", _sex(draws, 0.68), draws.bell(68, 86, 100), "own")]


SHAPES: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (
        couple_child,
        couple_two,
        couple_three,
        couple,
        empty_nest,
        three_generations,
        single_parent,
        single,
        elder_alone,
        grandparents_child,
        roommates,
        dormitory,
        room_single,
        care_room,
    )
}
