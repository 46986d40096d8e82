# SPDX-License-Identifier: Apache-2.0
"""Urban villages: every alley counts its houses from 1 again, so that lists tell the alley."""

from __future__ import annotations

from datetime import date

import pytest

from muster.drill.city import generate
from muster.drill.load import load_city
from muster.packs import load
from muster.places.models import Area, Building, Compound, Dwelling, Gate, Grid, MapFeature
from muster.places.services import add_grid
from muster.register.exporting.filters import Filters
from muster.register.exporting.writing import Export, write_export
from muster.register.importing import round_trip
from muster.register.importing.batches import kept_rows, setting_for
from muster.register.importing.houses import house_of, same_alley
from muster.register.models import Household, Need, Person
from muster.register.phones import read_phone
from tests.register.list_files import bring, operator, take_in
from tests.support.world import NOON

pytestmark = pytest.mark.django_db

IN_ORDER = ("areas", "buildings", "dwellings", "households", "persons", "needs")


def codes(batch) -> dict[int, list[str]]:
    return {row.number: [p.code for p in row.problems] for row in kept_rows(batch) if row.problems}


def written_out(kind: str, suffix: str, folder, lang: str = "zh") -> bytes:
    export = Export(kind, operator(full=True), setting_for(None, at=NOON), lang, Filters())
    write_export(export, suffix, folder / f"{kind}.{suffix}", at=NOON)
    return (folder / f"{kind}.{suffix}").read_bytes()


def everything() -> dict[str, list[tuple[object, ...]]]:
    """The register in words, without the numbers that a house gives by itself."""
    doors = {
        d.id: (
            d.building.area.code,
            d.building.code,
            d.building.compound.name if d.building.compound else "",
            d.building.street,
            d.building.name,
            d.unit,
            d.room,
        )
        for d in Dwelling.objects.across(reason="count").select_related(
            "building__area", "building__compound"
        )
    }
    persons = list(all_of(Person).select_related("household"))
    who = {p.id: (doors[p.dwelling_id], p.name, p.id_number or "", as_kept(p.phone)) for p in persons}
    return {
        "areas": sorted(Area.objects.values_list("code", "name", "name_en", "level", "kind", "parent__code")),
        "buildings": sorted(
            (b.code, b.name, b.street, b.kind, b.floors, b.units, round(b.lon, 6), round(b.lat, 6))
            for b in Building.objects.all()
        ),
        "doors": sorted((doors[d.id], d.floor, d.kind, d.label, d.address or "") for d in all_of(Dwelling)),
        "households": sorted((doors[h.dwelling_id], h.code, h.kind) for h in all_of(Household)),
        "persons": sorted((*who[p.id], *described(p)) for p in persons),
        "needs": sorted((who[n.person_id], n.kind, n.severity) for n in all_of(Need)),
    }


def described(p: Person) -> tuple[object, ...]:
    home = p.household.code if p.household else ""
    return str(p.birth_date), p.sex, p.registered_here, p.lives_here, tuple(p.languages), p.note, home


def all_of(model):
    return model.objects.across(reason="count")


def as_kept(phone: str | None) -> str:
    """A list's numbers are kept in one writing."""
    return read_phone(phone or "", plan=setting_for(None, at=NOON).phone_plan) or ""


def clear_the_house() -> None:
    for model in (Need, Person, Household, Dwelling):
        all_of(model).delete()
    for plain in (Gate, Building, Compound, MapFeature, Grid):
        plain.objects.all().delete()
    while Area.objects.exists():
        Area.objects.filter(children__isnull=True).delete()


def village(scenario: str = "epidemic-zh", people: int = 300):
    return load_city(generate(scenario, people=people, seed=5), pack=load(scenario, data_dir=None), at=NOON)


def test_lists_of_an_urban_village_fill_an_empty_house_with_the_same_register(tmp_path, monkeypatch):
    root = village()
    leaf = Area.objects.filter(path__startswith=root.path).order_by("-depth").first()
    grid = add_grid(code="G1", name="一网格", area=leaf, level="SMALL", at=NOON)
    Building.objects.filter(area=leaf).update(grid=grid.id)
    files = {kind: written_out(kind, "xlsx" if kind == "persons" else "csv", tmp_path) for kind in IN_ORDER}
    before = everything()
    numbers = Building.objects.values_list("name", flat=True)
    assert len(set(numbers)) < len(numbers)  # houses that only their alley tells apart
    clear_the_house()
    monkeypatch.setattr(round_trip, "_PURPOSE", "another house")
    monkeypatch.setattr("muster.register.importing.batches._today", lambda *_: date(2030, 1, 1))

    for kind in IN_ORDER:
        assert codes(take_in(kind, files[kind])) == {}, kind

    after = everything()
    for kind, rows in before.items():
        assert after[kind] == rows, kind


def test_lists_of_a_river_town_fill_an_empty_house_too(tmp_path, monkeypatch):
    monkeypatch.setattr("muster.register.importing.batches.USUAL_PACK", "flood")
    village("flood", 200)
    files = {kind: written_out(kind, "csv", tmp_path, "en") for kind in IN_ORDER}
    before = everything()
    clear_the_house()
    monkeypatch.setattr(round_trip, "_PURPOSE", "another house")
    monkeypatch.setattr("muster.register.importing.batches._today", lambda *_: date(2030, 1, 1))

    for kind in IN_ORDER:
        assert codes(take_in(kind, files[kind])) == {}, kind

    after = everything()
    for kind, rows in before.items():
        assert [pair for pair in zip(after[kind], rows, strict=True) if pair[0] != pair[1]] == [], kind


@pytest.mark.parametrize("scenario", ["epidemic-zh", "flood"])
def test_every_door_is_found_by_what_the_register_shows(scenario, monkeypatch):
    """Also where the address cannot be read, or fits several: the very text of the screen names one door."""
    monkeypatch.setattr("muster.register.importing.batches.USUAL_PACK", scenario)
    village(scenario, 200)
    doors = {f"Xu {n}": d for n, d in enumerate(all_of(Dwelling).order_by("id")[:400])}
    lines = [
        {
            "Name": f"{name}".replace("Xu ", "甲") if scenario == "epidemic-zh" else _name(name),
            "门牌号": d.label,
        }
        for name, d in doors.items()
    ]

    batch = bring("persons", *lines, commit=False)

    assert codes(batch) == {}
    assert len(lines) > 100


def _name(said: str) -> str:
    """A name of letters alone."""
    return "Xu " + "".join(chr(ord("a") + int(figure)) for figure in said.split()[1])


@pytest.fixture
def alleys(world):
    """Two alleys of 榴花里 with a house 3 each, and a house 3 within a compound of the same community."""
    area = world.communities[0]
    street = area.sub_district
    for code, compound, alley, name in [
        ("a", "榴花里", "榴花里二巷", "3号"),
        ("b", "榴花里", "榴花里三巷", "3号"),
        ("c", "家属院", "榴花路", "3号楼"),
    ]:
        place, _ = Compound.objects.get_or_create(area=area, sub_district=street, name=compound)
        house = Building.objects.create(
            area=area, sub_district=street, compound=place, code=code, name=name, street=alley
        )
        label = f"{alley}{name} 2单元 402" if name == "3号" else f"{name}2单元402"
        Dwelling.objects.create(sub_district=street, building=house, unit="2", room="402", label=label)
    return {
        b.code: all_of(Dwelling).get(building=b).id for b in Building.objects.filter(code__in=["a", "b", "c"])
    }


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"街巷": "榴花里二巷", "楼栋": "3号", "单元": "2", "室号": "402"}, "a"),
        ({"街巷": "榴花里2巷", "楼栋": "3", "单元": "二单元", "室号": "４０２"}, "a"),
        ({"街巷": "三巷", "小区": "榴花里", "门牌号": "3号", "单元": "2", "房号": "402"}, "b"),
        ({"楼栋": "榴花里二巷3号", "单元": "2", "室号": "402"}, "a"),
        ({"地址": "榴花里二巷3号 2单元 402"}, "a"),
        ({"地址": "榴花里三巷３号２单元４０２室"}, "b"),
        ({"门牌": "榴花里二巷3号 2单元 402"}, "a"),
        ({"户室": "1社区榴花里2巷3号2单元402"}, "a"),
        ({"社区": "1社区", "小区": "家属院", "楼栋": "3号楼", "单元": "2", "室号": "402"}, "c"),
        ({"社区": "1社区", "楼栋": "3栋", "单元": "2", "室号": "402"}, "c"),
        ({"街巷": "别的写法路", "小区": "家属院", "楼栋": "3号楼", "单元": "2", "室号": "402"}, "c"),
    ],
)
def test_house_of_an_alley_is_found_in_many_writings(alleys, said, code):
    batch = bring("persons", {"姓名": "王小明", **said})

    assert codes(batch) == {}
    assert all_of(Person).get(source="import").dwelling_id == alleys[code]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"小区": "榴花里", "楼栋": "3号", "单元": "2", "室号": "402"}, "import_building_ambiguous"),
        ({"社区": "1社区", "楼栋": "3号", "单元": "2", "室号": "402"}, "import_building_ambiguous"),
        ({"街巷": "榴花里四巷", "楼栋": "3号", "单元": "2", "室号": "402"}, "import_building_unknown"),
        ({"街巷": "榴花里十二巷", "楼栋": "3号", "单元": "2", "室号": "402"}, "import_building_unknown"),
        ({"地址": "榴花里九巷3号 2单元 402"}, "import_building_unknown"),
        ({"地址": "榴花里二巷3号 2单元 403"}, "import_door_unknown"),
    ],
)
def test_house_that_no_alley_tells_apart_comes_back(alleys, said, why):
    batch = bring("persons", {"姓名": "王小明", **said})

    assert codes(batch) == {2: [why]}


def test_houses_of_one_number_along_two_alleys_are_two(world):
    lines = [
        {"社区": "1社区", "小区": "柳巷村", "街巷": "磨盘巷", "楼栋名称": "2号"},
        {"社区": "1社区", "小区": "柳巷村", "街巷": "井巷", "楼栋名称": "2号"},
        {"社区": "1社区", "小区": "柳巷村", "街巷": "井巷", "楼栋名称": "柳巷村2号"},
    ]
    batch = bring("buildings", *lines)
    again = bring("buildings", *lines[:2])

    assert codes(batch) == {4: ["import_twice"]}
    assert again.result == {"same": 2}
    made = Building.objects.filter(compound__name="柳巷村")
    assert {(b.code, b.street) for b in made} == {
        ("柳巷村磨盘巷2号", "磨盘巷"),
        ("柳巷村井巷2号", "井巷"),
    }


def test_house_without_its_alley_is_the_only_one_of_its_number_or_asks_which(world):
    bring("buildings", {"社区": "1社区", "小区": "柳巷村", "街巷": "磨盘巷", "楼栋名称": "2号"})
    line = {"社区": "1社区", "小区": "柳巷村", "楼栋名称": "2号", "层数": "4"}

    one = bring("buildings", line, update_known=True)
    bring("buildings", {"社区": "1社区", "小区": "柳巷村", "街巷": "井巷", "楼栋名称": "2号"})
    two = bring("buildings", line, update_known=True)

    assert one.result["changed_building"] == 1
    assert codes(two) == {2: ["import_building_ambiguous"]}


def test_alley_of_a_known_house_is_filled_in_by_an_update(world):
    bring("buildings", {"社区": "1社区", "小区": "柳巷村", "楼栋名称": "2号"})

    bring(
        "buildings",
        {"社区": "1社区", "小区": "柳巷村", "街巷": "磨盘巷", "楼栋名称": "2号"},
        update_known=True,
    )

    assert Building.objects.get(compound__name="柳巷村").street == "磨盘巷"


def test_door_made_in_an_alley_is_shown_with_it(alleys):
    line = {"姓名": "王小明", "街巷": "榴花里二巷", "楼栋": "3号", "室号": "501"}

    bring("persons", line, create_doors=True)

    assert all_of(Person).get(source="import").dwelling.label == "榴花里二巷3号501"


def test_two_doors_shown_alike_are_not_told_apart_by_that(alleys):
    twin = all_of(Dwelling).get(id=alleys["a"])
    all_of(Dwelling).filter(id=alleys["b"]).update(label="看不懂的地方")
    all_of(Dwelling).filter(id=twin.id).update(label="看不懂的地方")

    assert codes(bring("persons", {"姓名": "王小明", "地址": "看不懂的地方"})) == {2: ["address_unreadable"]}


def test_grid_of_another_house_waits_for_the_first_division(world):
    Grid.objects.all().update(status="RETIRED")

    batch = bring("buildings", {"社区": "1社区", "楼栋名称": "7号楼", "网格": "X1"})

    assert codes(batch) == {}
    assert Building.objects.get(name="7号楼").grid is None
    assert [row.reason for row in kept_rows(batch)] == ["without_grid"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("柳巷村磨盘巷", "磨盘巷", True),
        ("12巷", "2巷", False),
        ("2巷", "榴花里2巷", True),
        ("井巷", "磨盘巷", False),
    ],
)
def test_alleys_are_one_with_their_village_or_without(one, other, same):
    assert same_alley(one, other) is same


@pytest.mark.parametrize(
    ("name", "compound", "street", "identity"),
    [
        ("2号", "柳巷村", "磨盘巷", ("柳巷村", "磨盘巷", "2号")),
        ("柳巷村2号", "柳巷村", "磨盘巷", ("柳巷村", "磨盘巷", "2号")),
        ("２号", "柳巷村", "磨盘巷", ("柳巷村", "磨盘巷", "2号")),
        ("二号", "柳巷村", "磨盘巷", ("柳巷村", "磨盘巷", "2号")),
        ("2号附1号", "", "磨盘巷", ("", "磨盘巷", "2号附1号")),
        ("3号楼", "桂苑", "兴庆坊一巷", ("桂苑", "", "3")),
        ("3", "桂苑", "兴庆坊一巷", ("桂苑", "", "3")),
        ("A座", "", "", ("", "", "a")),
    ],
)
def test_house_is_told_by_its_place_alley_and_number(name, compound, street, identity):
    assert house_of(name, compound, street, "cn").identity == identity
