# SPDX-License-Identifier: Apache-2.0
"""Which columns each kind of list has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from muster.base.errors import Refusal
from muster.register.importing import readers
from muster.register.importing.form import (
    Column,
    Form,
)
from muster.register.importing.readers import Reader
from muster.register.importing.setting import DATUMS, SEXES, YES_NO, Option, Setting, household_kinds
from muster.register.importing.usual_columns import (
    AREA,
    BIRTH_DATE,
    COMPOUND,
    DOOR,
    ID_NUMBER,
    NAME,
    NOTE,
    PHONE,
    STREET,
)

_line = readers.line


def _options(options: Sequence[Option]) -> Callable[[Setting], Sequence[Option]]:
    return lambda _setting: options


def _choice(options: Callable[[Setting], Sequence[Option]]) -> Reader:
    return readers.choice(options)


def _levels(setting: Setting) -> Sequence[Option]:
    return setting.levels


def _needs(setting: Setting) -> Sequence[Option]:
    return setting.needs


AREAS = Form(
    "areas",
    "行政区划",
    "Areas",
    (
        Column(
            "code",
            "代码",
            "Code",
            _line(24),
            ("990101001001", "W01-B03"),
            required=True,
            also=("区划代码", "编码", "area code"),
            width=16,
            hxl="#adm+code",
        ),
        Column(
            "name",
            "名称",
            "Name",
            _line(80),
            ("桥西社区", "Millbridge"),
            required=True,
            also=("区域名称", "area name"),
            width=20,
            hxl="#adm+name",
        ),
        Column(
            "level",
            "层级",
            "Level",
            _choice(_levels),
            required=True,
            also=("级别", "区划级别"),
            options=_levels,
            hxl="#meta+level",
        ),
        Column(
            "parent",
            "上级代码",
            "Parent code",
            _line(24),
            ("990101001000", "W01"),
            also=("上级", "上级区划代码", "parent"),
            width=16,
        ),
        Column(
            "name_en",
            "英文名称",
            "English name",
            _line(80),
            ("Qiaoxi", ""),
            also=("英文名", "name in english"),
            width=20,
        ),
        Column("kind", "类型", "Kind", _line(24), also=("类别", "type")),
    ),
)

BUILDINGS = Form(
    "buildings",
    "楼栋",
    "Buildings",
    (
        Column(
            "area",
            AREA.zh,
            AREA.en,
            AREA.read,
            AREA.sample,
            required=True,
            also=AREA.also,
            width=16,
            hxl="#adm+name",
        ),
        COMPOUND,
        Column(
            "name",
            "楼栋名称",
            "Building",
            _line(80),
            ("3号楼", "12 Mill Lane"),
            required=True,
            also=("楼栋", "楼名", "楼号", "名称", "门牌号", "门牌", "building name", "name", "house no"),
            width=16,
        ),
        Column(
            "code",
            "楼栋编号",
            "Building code",
            _line(40),
            ("QX-003", "MB-012"),
            also=("楼栋代码", "编号", "代码", "code"),
            width=14,
        ),
        STREET,
        Column("kind", "类型", "Kind", _line(24), also=("房屋类型", "type")),
        Column(
            "floors",
            "层数",
            "Floors",
            readers.whole(1, 200),
            ("6", "2"),
            also=("楼层数", "总层数", "storeys"),
            width=8,
        ),
        Column(
            "units",
            "单元数",
            "Stairwells",
            readers.whole(1, 60),
            ("3", "1"),
            also=("units", "entrances"),
            width=8,
        ),
        Column(
            "lon",
            "经度",
            "Longitude",
            readers.degrees(180),
            ("110.123456", "1.234567"),
            also=("lng", "lon", "x"),
            width=14,
            hxl="#geo+lon",
        ),
        Column(
            "lat",
            "纬度",
            "Latitude",
            readers.degrees(90),
            ("35.123456", "51.234567"),
            also=("lat", "y"),
            width=14,
            hxl="#geo+lat",
        ),
        Column(
            "datum",
            "坐标系",
            "Datum",
            _choice(_options(DATUMS)),
            ("WGS-84", "WGS-84"),
            also=("坐标系统", "coordinate system"),
            options=_options(DATUMS),
            width=10,
        ),
        Column(
            "grid",
            "网格",
            "Grid",
            _line(40),
            also=("网格编号", "网格代码", "所属网格", "grid code"),
            width=14,
            hxl="#geo+grid+code",
        ),
    ),
)

DWELLINGS = Form(
    "dwellings",
    "房屋",
    "Dwellings",
    (
        *DOOR,
        Column(
            "floor",
            "楼层",
            "Floor",
            readers.whole(-5, 200),
            ("5", "1"),
            also=("层", "所在层", "storey"),
            width=8,
        ),
        Column("kind", "类型", "Kind", _line(24), ("住宅", "flat"), also=("房屋类型", "用途", "type")),
        Column("label", "门牌显示", "Shown as", _line(80), also=("显示名称", "label"), width=24),
    ),
    either=(("building", "address"),),
)

HOUSEHOLDS = Form(
    "households",
    "户",
    "Households",
    (
        *DOOR,
        Column(
            "code",
            "户编号",
            "Household code",
            _line(40),
            ("H-001", "H-001"),
            also=("户号", "户口簿编号", "household", "household no"),
            width=14,
        ),
        Column(
            "kind",
            "户类型",
            "Household kind",
            _choice(household_kinds),
            ("家庭户", "family household"),
            also=("户别", "type"),
            options=household_kinds,
        ),
    ),
    either=(("building", "address"),),
)

PERSONS = Form(
    "persons",
    "人员",
    "Persons",
    (
        NAME,
        ID_NUMBER,
        PHONE,
        *DOOR,
        Column(
            "household",
            "户编号",
            "Household code",
            _line(40),
            also=("户号", "household", "household no"),
            width=12,
        ),
        BIRTH_DATE,
        Column(
            "sex",
            "性别",
            "Sex",
            _choice(_options(SEXES)),
            ("女", "female"),
            also=("gender",),
            options=_options(SEXES),
            width=8,
        ),
        Column(
            "registered_here",
            "户籍在此",
            "Registered here",
            readers.yes_no,
            ("是", "yes"),
            also=("本地户籍", "是否本地户籍", "户籍人口"),
            options=_options(YES_NO),
            width=10,
        ),
        Column(
            "lives_here",
            "现住在此",
            "Lives here",
            readers.yes_no,
            ("是", "yes"),
            also=("在住", "是否在住", "是否居住", "实际居住"),
            options=_options(YES_NO),
            width=10,
        ),
        Column("languages", "语言", "Languages", readers.codes(24), also=("language",), width=10),
        NOTE,
    ),
    either=(("building", "address"),),
)

NEEDS = Form(
    "needs",
    "需求",
    "Needs",
    (
        NAME,
        ID_NUMBER,
        PHONE,
        *DOOR,
        replace(BIRTH_DATE, sample=("", "")),
        Column(
            "kind",
            "需求类型",
            "Need",
            _choice(_needs),
            required=True,
            also=("需求", "特殊需求", "人员类别", "困难类型", "need kind"),
            options=_needs,
            width=16,
        ),
        Column(
            "severity",
            "程度",
            "Severity",
            readers.whole(0, 3),
            ("1", "1"),
            also=("等级", "程度0至3"),
            width=8,
        ),
        Column(
            "verified_on",
            "核实日期",
            "Verified on",
            readers.past_day,
            also=("核实时间", "verified"),
            width=14,
        ),
        NOTE,
    ),
)

# Lists of apps above the register join when those apps are ready: kinds.add_kind.
FORMS: dict[str, Form] = {
    form.kind: form for form in (AREAS, BUILDINGS, DWELLINGS, HOUSEHOLDS, PERSONS, NEEDS)
}


def form_of(kind: str) -> Form:
    """Raises Refusal("import_kind_unknown")."""
    form = FORMS.get(kind)
    if form is None:
        raise Refusal("import_kind_unknown", kind=kind[:40], kinds=", ".join(FORMS))
    return form
