# SPDX-License-Identifier: Apache-2.0
"""The columns that several lists share: where a door is, and who somebody is."""

from __future__ import annotations

from muster.register.importing import readers
from muster.register.importing.form import Column

_line = readers.line


AREA = Column(
    "area",
    "社区",
    "Community",
    _line(80),
    ("桥西社区", "Millbridge"),
    also=(
        "村",
        "村社区",
        "社区村",
        "所属社区",
        "居委会",
        "社区代码",
        "area",
        "ward",
        "block",
        "village",
        "community code",
    ),
    width=16,
)
COMPOUND = Column(
    "compound",
    "小区",
    "Compound",
    _line(80),
    ("桂苑小区", ""),
    also=("小区名称", "院落", "estate", "compound name"),
    width=16,
)
STREET = Column(
    "street",
    "街巷",
    "Street or alley",
    _line(80),
    ("", ""),
    also=(
        "街路名称",
        "街路",
        "路名",
        "道路",
        "街路巷",
        "巷",
        "巷道",
        "巷名",
        "里弄",
        "胡同",
        "street",
        "street name",
        "alley",
        "lane",
        "road",
    ),
    width=14,
)
BUILDING = Column(
    "building",
    "楼栋",
    "Building",
    _line(80),
    ("3号楼", "12 Mill Lane"),
    also=("楼栋号", "楼号", "栋", "幢", "楼幢", "楼", "house", "building name"),
    width=12,
)
UNIT = Column(
    "unit", "单元", "Stairwell", _line(12), ("2", ""), also=("单元号", "门洞", "unit", "entrance"), width=8
)
ROOM = Column(
    "room",
    "室号",
    "Room",
    _line(24),
    ("501", "2"),
    also=("房号", "房间号", "室", "flat", "room no"),
    unsure=("门牌号", "门牌号码", "门牌", "门号", "户室号", "door", "door no", "house no"),
    width=8,
)
ADDRESS = Column(
    "address",
    "地址",
    "Address",
    _line(200),
    ("", ""),
    also=(
        "住址",
        "居住地址",
        "详细地址",
        "现住址",
        "家庭住址",
        "现居住地址",
        "门牌地址",
        "户室",
        "住户",
        "full address",
        "door label",
    ),
    width=28,
)
DOOR = (AREA, COMPOUND, STREET, BUILDING, UNIT, ROOM, ADDRESS)
NAME = Column(
    "name",
    "姓名",
    "Name",
    readers.name,
    ("示例甲", "Ann Example"),
    required=True,
    also=("名字", "居民姓名", "full name"),
    hxl="#contact+name",
)
ID_NUMBER = Column(
    "id_number",
    "身份证号",
    "Id number",
    readers.id_number,
    ("", ""),
    width=22,
    also=(
        "身份证号码",
        "身份证",
        "公民身份号码",
        "证件号码",
        "证件号",
        "居民身份证号",
        "identity number",
        "id card",
        "id no",
    ),
)
PHONE = Column(
    "phone",
    "手机",
    "Phone",
    readers.phone,
    ("13800000000", "+44 20 7946 0000"),
    width=16,
    hxl="#contact+phone",
    also=(
        "手机号",
        "手机号码",
        "电话",
        "联系电话",
        "联系方式",
        "电话号码",
        "mobile",
        "telephone",
        "phone number",
    ),
)
BIRTH_DATE = Column(
    "birth_date",
    "出生日期",
    "Date of birth",
    readers.birth_date,
    ("1980-05-01", "1980-05-01"),
    also=("出生年月", "生日", "出生年月日", "出生年份", "birth date", "born", "year of birth"),
    width=14,
)
NOTE = Column("note", "备注", "Note", _line(2000), also=("说明", "remark", "comment"), width=24)
