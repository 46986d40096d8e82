# SPDX-License-Identifier: Apache-2.0
"""What somebody says who checks in: one form and one validator for the page, the desk and lists.

Every cell is a text; a reader gives it one form or says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from muster.base.errors import Refusal
from muster.base.terms import term
from muster.register.importing import readers
from muster.register.importing.form import Column, Form
from muster.register.importing.rows import CheckedRow, Problem, Verdict
from muster.register.importing.setting import YES_NO, Option, Setting
from muster.register.importing.usual_columns import BIRTH_DATE, DOOR, NAME, PHONE

ADULT = 18
LONGEST_LIMITS = 500
DAYS, HOURS = ("workday", "weekend"), ("morning", "afternoon", "evening", "night")
LANGUAGE_CODES = ("zh", "en", "yue", "ug", "bo", "mn", "ii", "ko", "ar", "fr", "ru")


def _option(code: str, word: str) -> Option:
    return Option(code, term(word), term(word, "en"))


SLOTS = tuple(_option(f"{day}_{hour}", f"slot_{day}_{hour}") for day in DAYS for hour in HOURS)
LANGUAGES = tuple(_option(code, f"language_{code}") for code in LANGUAGE_CODES)


def _affiliations(setting: Setting) -> Sequence[Option]:
    return setting.affiliations


def _skills(setting: Setting) -> Sequence[Option]:
    return setting.skills


def _strains(setting: Setting) -> Sequence[Option]:
    return setting.strains


def _slots(_setting: Setting) -> Sequence[Option]:
    return SLOTS


def _languages(_setting: Setting) -> Sequence[Option]:
    return LANGUAGES


def _yes_no(_setting: Setting) -> Sequence[Option]:
    return YES_NO


def _branch(text: str, setting: Setting) -> str:
    """Refused where the pack does not ask for it: what is not needed is not kept."""
    said = readers.line(80)(text, setting)
    if said and setting.pack.branch is None:
        raise Refusal("responder_branch_not_asked")
    return said


RESPONDERS = Form(
    "responders",
    "服务人员",
    "Responders",
    (
        NAME,
        PHONE,
        replace(BIRTH_DATE, sample=("1988", "1988")),
        *DOOR,
        Column(
            "affiliations", "身份", "Affiliation", readers.choices(_affiliations), options=_affiliations,
            also=("人员身份", "身份类别"), width=16, many=True,
        ),
        Column(
            "organisation", "单位", "Organisation", readers.line(120), ("示例单位", "Example office"),
            also=("所在单位", "工作单位", "派出单位", "employer"), width=20,
        ),
        Column("branch", "所在支部", "Branch", _branch, also=("支部", "党支部"), width=20),
        Column(
            "skills", "专长", "Skills", readers.choices(_skills), options=_skills,
            also=("技能", "特长", "专业技能"), width=20, many=True,
        ),
        Column(
            "certificates", "证书", "Certificates", readers.codes(40),
            also=("资格证书", "执业证书", "证件名称"), width=20,
        ),
        Column(
            "languages", "语言", "Languages", readers.choices(_languages, others=24), options=_languages,
            also=("会说的语言", "language"), width=14, many=True,
        ),
        Column(
            "free_times", "可服务时间", "Free when", readers.choices(_slots), options=_slots,
            also=("服务时间", "空闲时间", "availability"), width=24, many=True,
        ),
        Column(
            "cannot", "做不了的", "Cannot do", readers.choices(_strains), options=_strains,
            also=("不能做", "不能从事", "cannot"), width=16, many=True,
        ),
        Column(
            "limits", "不便说明", "Limits", readers.line(LONGEST_LIMITS), ("不能上夜班", "no night shifts"),
            also=("备注", "限制", "note", "constraints"), width=24,
        ),
        Column(
            "external_id", "人员编号", "Own number", readers.line(60), ("A-0001", "A-0001"),
            also=("工号", "志愿者编号", "staff number", "external id"), width=14,
        ),
        Column(
            "vetted", "已审核", "Vetted", readers.yes_no, ("否", "no"),
            also=("是否审核", "审核"), options=_yes_no, width=10,
        ),
    ),
    either=(("phone", "external_id"), ("area", "building", "address")),
)  # fmt: skip


def check_person(row: CheckedRow, setting: Setting) -> None:
    """What the cells say together: nobody under age serves, however he came."""
    born = row.values.get("birth_date", "")
    if not born:
        return
    wrong = _under_age(born, setting.today)
    if wrong:
        row.refuse("birth_date", wrong, years=ADULT)


def _under_age(born: str, today: date) -> str:
    if len(born) == 4:
        years = today.year - int(born)
        return "" if years > ADULT else "responder_birthday_needed" if years == ADULT else "responder_minor"
    year, month, day = map(int, born.split("-"))
    years = today.year - year - ((today.month, today.day) < (month, day))
    return "" if years >= ADULT else "responder_minor"


def read_person(cells: Mapping[str, str], *, setting: Setting, required: Sequence[str] = ()) -> CheckedRow:
    """Understands what somebody typed; all that is wrong is told at once, field by field."""
    row = CheckedRow(0, [], {}, [])
    for key, text in cells.items():
        if not text.strip():
            continue
        try:
            value = RESPONDERS.by_key[key].read(text, setting)
        except Refusal as refusal:
            row.problems.append(Problem.of(key, refusal))
            continue
        if value:
            row.values[key] = value
    broken = {problem.field for problem in row.problems}
    for key in required:
        if key not in row.values and key not in broken:
            row.problems.append(Problem(key, "responder_field_missing"))
    if "birth_date" not in broken:
        check_person(row, setting)
    if row.problems:
        row.verdict = Verdict.BAD
    return row


def listed(value: str) -> list[str]:
    """A kept list of codes."""
    return [code for code in value.split(",") if code]
