# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the rostering engine, faults in them, and what is said about rotas."""

import json
import tarfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from muster.base.unpacking import unpack
from muster.cli.planning import register_commands
from muster.planning import engines
from muster.planning._kernel.words import say
from muster.planning.contract import BadProblem
from muster.planning.rostering import (
    Effort,
    check,
    explain,
    explain_missing,
    explain_person,
    make_problem,
    read_plan,
    read_problem,
    schema,
    solve,
    write_plan,
)
from tests.planning.rostering.gates import ROTA, SHIFTS, week

ROTAS = Path(__file__).resolve().parents[4] / "shared" / "data" / "rota.tgz"
LITTLE = Effort(root_rounds=50, steps=2, sweeps=2)


def raw():
    return week(people=4, days=3) | {
        "first_weekday": "fri",
        "defaults": {"rest_min": 600},
        "fairness": {"nights": 3},
        "previous": [
            {"person": "party 0-0", "day": 0, "post": "gate 0", "shift": "early", "kind": "party"},
            {"person": "party 0-1", "day": 0, "off": True},
        ],
        "change_cost": 4,
        "pins": [{"person": "party 0-3", "day": 1, "off": True}],
    }


def written(tmp_path, content, name="problem.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_problem_file_is_read_solved_written_and_read_again(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    plan = solve(problem, budget_s=1e9, seed=3, effort=LITTLE)
    path = tmp_path / "plan.json"

    assert write_plan(plan, path) == [path]
    again = read_plan(path)

    assert again.envelope().to_json() == plan.envelope().to_json()
    assert check(problem, again) == []


def test_rota_of_the_field_is_read_and_its_table_written_beside_the_plan(tmp_path):
    problem = read_problem(written(tmp_path, ROTA, "rota.txt"))
    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    files = write_plan(plan, tmp_path / "plan.json")

    assert [path.name for path in files] == ["plan.json", "plan.roster.txt"]
    lines = files[1].read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["A", "B", "C"]
    assert check(problem, read_plan(files[0])) == []


def test_rota_of_the_field_says_what_its_file_says():
    problem = engines_problem(ROTA)

    assert (problem.days, problem.shifts.names, problem.people.names) == (14, ("E", "L"), ("A", "B", "C"))
    assert problem.shifts.lag[0].tolist() == [[1, 1], [2, 1]]
    assert problem.people.duties.tolist() == [0, 1, 0, 0, 1]
    assert problem.counters.most[2].tolist() == [14, 3]
    assert problem.barred[1, 5].all()
    assert problem.wish[0, 2].tolist() == [0, 2, 2]
    assert problem.wish[2, 12].tolist() == [1, 0, 0]
    assert int(problem.duties.need.sum()) == 28


def engines_problem(text):
    from muster.planning.rostering import problem_from_rota

    return problem_from_rota(text)


ROTA_FAULTS = [
    ("SECTION_HORIZON\n# days\n14", "", "planning.cure.present"),
    ("SECTION_COVER", "SECTION_COVERS", "planning.cure.one_of"),
    ("L,480,E", "L,480,X", "planning.cure.known"),
    ("L,480,E", "L,many,E", "planning.cure.integer"),
    ("L,480,E", "L,480", "planning.rostering.columns"),
    ("L,480,E", "E,480,", "planning.cure.once"),
    ("A,E=14|L=14,4320", "A,E=14|Q=14,4320", "planning.cure.known"),
    ("A,E=14|L=14,4320", "A,E=14|L=x,4320", "planning.cure.integer"),
    ("A,E=14|L=14,4320", "A,E=14|L=14,-1", "planning.cure.integer"),
    ("B,5", "B,14", "planning.cure.integer"),
    ("B,5", "Z,5", "planning.cure.known"),
    ("A,2,E,2", "A,2,E,2,2", "planning.rostering.columns"),
    ("0,E,1,100,1", "1,E,1,100,1", "planning.cure.once"),
    ("\n14\n", "\n0\n", "planning.cure.integer"),
]


@pytest.mark.parametrize(("old", "new", "cure"), ROTA_FAULTS)
def test_fault_in_a_rota_of_the_field_is_named_with_its_line(tmp_path, old, new, cure):
    assert old in ROTA

    with pytest.raises(BadProblem) as caught:
        read_problem(written(tmp_path, ROTA.replace(old, new, 1), "rota.txt"))

    assert caught.value.cure == cure
    assert "{" not in str(caught.value)


def shift_with(**facts):
    return [SHIFTS[0] | facts, *SHIFTS[1:3]]


def post_with(*needs):
    return [{"name": "gate 0", "needs": list(needs)}]


def people_with(**facts):
    people = raw()["people"]
    return [people[0] | facts, *people[1:]]


FAULTS = [
    ({"days": None}, "planning.cure.present"),
    ({"days": 0}, "planning.cure.integer"),
    ({"first_weekday": "someday"}, "planning.cure.one_of"),
    ({"shifts": shift_with(minutes=0)}, "planning.cure.integer"),
    ({"shifts": shift_with(name="late")}, "planning.cure.once"),
    ({"shifts": shift_with(not_before=["noon"])}, "planning.cure.known"),
    ({"shifts": "early"}, "planning.cure.list"),
    ({"posts": post_with({"shift": "noon"})}, "planning.cure.known"),
    ({"posts": post_with({"shift": "early", "count": -1})}, "planning.cure.integer"),
    ({"posts": post_with({"shift": "early", "days": [3]})}, "planning.cure.integer"),
    ({"posts": post_with({"shift": "early"}, {"shift": "early"})}, "planning.cure.once"),
    ({"posts": [{"name": "gate 0"}]}, "planning.cure.present"),
    ({"people": people_with(name="party 0-1")}, "planning.cure.once"),
    ({"people": people_with(name="")}, "planning.cure.text"),
    ({"people": people_with(posts=["gate 9"])}, "planning.cure.known"),
    ({"people": people_with(kinds="party")}, "planning.cure.list"),
    ({"people": people_with(min_minutes=9_000)}, "planning.cure.integer"),
    ({"people": people_with(max_days_on=0)}, "planning.cure.integer"),
    ({"people": people_with(unavailable=[{"day": 3}])}, "planning.cure.integer"),
    ({"people": people_with(unavailable=[4])}, "planning.cure.object"),
    ({"people": people_with(wishes=[{"day": 1, "want": "yes"}])}, "planning.cure.one_of"),
    ({"people": people_with(before={"days_on": 2})}, "planning.cure.present"),
    ({"previous": [{"person": "nobody", "day": 0, "off": True}]}, "planning.cure.known"),
    ({"pins": [{"person": "party 0-0", "day": 0, "post": "x", "shift": "early"}]}, "planning.cure.known"),
    ({"pins": [{"person": "party 0-0", "day": 0, "off": True}] * 2}, "planning.cure.once"),
    (
        {
            "pins": [
                {"person": "party 0-0", "day": 0, "post": "gate 0", "shift": "early", "kind": "volunteer"}
            ]
        },
        "planning.rostering.pin_unable",
    ),
    (
        {
            "people": people_with(unavailable=[{"day": 0}]),
            "pins": [{"person": "party 0-0", "day": 0, "post": "gate 0", "shift": "early", "kind": "party"}],
        },
        "planning.rostering.pin_unavailable",
    ),
    ({"fairness": {"nights": -1}}, "planning.cure.integer"),
]


@pytest.mark.parametrize(("change", "cure"), FAULTS)
def test_fault_in_a_file_is_named_with_its_cure(tmp_path, change, cure):
    with pytest.raises(BadProblem) as caught:
        read_problem(written(tmp_path, raw() | change))

    assert caught.value.cure == cure
    assert "{" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "nothing", "[1]", "{", "\x00", "SECTION_HORIZON"])
def test_file_of_another_form_is_refused(tmp_path, text):
    with pytest.raises(BadProblem):
        read_problem(written(tmp_path, text))


def spoil(path, **changes):
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["solution"] |= changes
    path.write_text(json.dumps(plan), encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"roster": [[0]]},
        {"roster": [[99, 0, 0]] * 12},
        {"duties": [["gate"]]},
        {"people": [1]},
        {"short": [{"day": 0}]},
        {"unlawful": None},
    ],
)
def test_fault_in_a_plan_file_is_refused(tmp_path, changes):
    path = tmp_path / "plan.json"
    write_plan(solve(make_problem(**raw()), budget_s=1e9, seed=0, effort=LITTLE), path)
    spoil(path, **changes)

    with pytest.raises(BadProblem):
        read_plan(path)


def test_engine_is_registered_with_a_schema():
    assert engines.schema("rostering") == schema()
    assert set(raw()) == set(schema()["properties"])


def test_every_reason_has_its_sentence_in_both_languages():
    short = raw()
    short["posts"][0]["needs"] += [
        {"shift": "early", "kind": "medic", "must": True},
        {"shift": "late", "kind": "medic"},
    ]
    short["people"] += [{"name": "odd", "kinds": ["medic"], "min_minutes": 5_000}]
    for person in short["people"]:
        person["wishes"] = [{"day": 2, "cost": 1}]
    reasons = []
    cases = [(short, Effort(0, 0, 0, 0)), (raw(), LITTLE), (week(people=6), LITTLE)]
    for facts, effort in cases:
        problem = make_problem(**facts)
        plan = solve(problem, budget_s=1e9, seed=0, effort=effort)
        reasons += explain(problem, plan)
        reasons += [reason for name in problem.people.names for reason in explain_person(problem, plan, name)]
        reasons += [r for e in plan.short[:3] for r in explain_missing(problem, plan, e.day, e.duty)]

    for reason in reasons:
        for language in ("zh", "en"):
            assert "{" not in say(reason.code, reason.facts, language=language)
    assert {reason.code.removeprefix("planning.rostering.") for reason in reasons} == {
        "summary",
        "no_lawful_month",
        "must_missing",
        "missing",
        "proved",
        "within",
        "changed",
        "pinned",
        "person",
        "wishes_unmet",
        "why_missing",
    }


def test_command_line_plans_and_checks_a_file(tmp_path):
    path, plan = written(tmp_path, ROTA, "rota.txt"), tmp_path / "plan.json"
    app = typer.Typer()
    register_commands(app)
    run = CliRunner().invoke

    planned = run(app, ["plan", "rostering", str(path), "-o", str(plan), "--seconds", "1"])
    checked = run(app, ["check", "rostering", str(path), str(plan)])

    assert planned.exit_code == 0, planned.output
    assert "rostering:" in planned.output
    assert checked.exit_code == 0, checked.output


@pytest.mark.shared_data
@pytest.mark.skipif(not ROTAS.exists(), reason="the public rotas are not beside the checkout")
def test_public_rotas_are_read_and_solved_close_to_the_best_known(tmp_path):
    with tarfile.open(ROTAS) as packed:
        unpack(packed, tmp_path)
    best = {1: 607, 3: 1001, 4: 1716}

    for number, known in best.items():
        problem = read_problem(next(tmp_path.rglob(f"Instance{number}.txt")))
        plan = solve(problem, budget_s=1e9, seed=0, effort=Effort(root_rounds=200, steps=2, sweeps=2))
        assert check(problem, plan) == []
        assert plan.bound <= known <= plan.objective
        assert plan.objective <= 1.1 * known
