"""Tests of what each role sees of each measure: all, their own part, groups, counts, or nothing and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from parcours.blueprint.records import Blueprint, Team
from parcours.errors import ParcoursError
from parcours.know import ROLES, Caller, Role
from parcours.measure import MEASURES, measure_named
from parcours.measure.contract import Ask, Result
from parcours.measure.sight import NOT_YOURS, VALUE, check_sight, decide_measure, list_offered, publish, see
from parcours.words import Words

EXPERIENCE = measure_named("experience")
SCOPES: dict[str, tuple[str, ...]] = {"cem": ("care",), "csm": ("segment:a",), "sales": ("segment:a",)}


@pytest.fixture
def company(blueprint: Blueprint) -> Blueprint:
    """The small company, two of whose touchpoints belong to another team."""
    teams = (*blueprint.teams, Team(id="web", label=Words(fr="web (fr)", en="web")))
    touchpoints = tuple(
        msgspec.structs.replace(one, owner="web" if one.id in ("t0", "t1") else "care") for one in blueprint.touchpoints
    )
    return msgspec.structs.replace(blueprint, teams=teams, touchpoints=touchpoints)


@pytest.fixture
def rows(make_rows: Callable[..., Any], random: np.random.Generator) -> Any:
    journeys = [[(int(t), float(t)) for t in random.integers(0, 6, 3)] for _ in range(200)]
    answers = [(c, t, d, float(random.integers(1, 6))) for c, journey in enumerate(journeys) for t, d in journey]
    return make_rows(journeys, answers, ["ab"[i % 2] for i in range(200)])


def caller(role: Role) -> Caller:
    return Caller(1, role, SCOPES.get(role, ()))


def seen(rows: Any, company: Blueprint, name: str, role: Role, by: str | None = None) -> Result:
    """Return what a role sees, as a company puts it together."""
    measure = measure_named(name)
    decision = check_sight(measure, company, caller(role), by)

    def ask(by: str | None) -> Result:
        return measure.compute(Ask(rows=rows, blueprint=company, by=by))

    result = publish(measure, company, ask, frozenset())[by] if decision.aggregate_only else ask(by)
    return see(result, company, caller(role), decision)


OFFERED: dict[Role, set[str | None]] = {
    "cco": {None, "channel", "stage", "group:segment", "week"},
    "cmo": {None, "channel", "stage", "group:segment", "week"},
    "cem": {None, "week", "month", "touchpoint,group:segment"},
    "csm": {"group:segment"},
    "dpo": {None, "channel", "stage", "group:segment", "week"},
    "sales": {"group:segment"},
    "finance": set(),
    "it": set(),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_offered_its_splits_and_refused_the_others(role: Role, company: Blueprint) -> None:
    assert set(list_offered(EXPERIENCE, company, caller(role))) == OFFERED[role]
    for by in {None, *EXPERIENCE.splits_for(company)} - OFFERED[role]:
        with pytest.raises(ParcoursError) as caught:
            check_sight(EXPERIENCE, company, caller(role), by)
        assert caught.value.code == "not_permitted"
        assert caught.value.faults[0].remedy.en
        assert caught.value.faults[0].remedy.fr


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [measure.name for measure in MEASURES])
def test_a_measure_is_open_to_the_roles_of_the_table(role: Role, name: str, company: Blueprint) -> None:
    decision = decide_measure(caller(role), name)
    assert decision.allowed == (role != "it" and (role != "finance" or name in VALUE))
    if decision.allowed and decision.aggregate_only and not measure_named(name).counted:
        assert list_offered(measure_named(name), company, caller(role)) == ()


def test_a_cem_sees_the_touchpoints_of_their_own_teams(rows: Any, company: Blueprint) -> None:
    result = seen(rows, company, "experience", "cem")
    for row in result.rows:
        mine = row["touchpoint"] in ("t2", "t3", "t4", "t5")
        assert (row["seen"] == NOT_YOURS) != mine
        assert (row["n"] is not None) == mine
    assert result.n == sum(row["n"] for row in result.rows if row["n"])
    assert "yours" in result.warnings[0].en
    assert {row["stage"] for row in seen(rows, company, "journey", "cem").rows} == {"purchase", "use"}
    moves = seen(rows, company, "transitions", "cem").rows
    assert moves
    assert all({row["source"], row["target"]} & {"t2", "t3", "t4", "t5"} for row in moves)


@pytest.mark.parametrize("role", ["csm", "sales"])
def test_own_accounts_alone_are_seen(rows: Any, company: Blueprint, role: Role) -> None:
    for name in ("experience", "journey", "stakes"):
        result = seen(rows, company, name, role, "group:segment")
        assert {row["group"] for row in result.rows} == {"a"}


def test_an_account_of_another_group_of_the_same_name_is_not_ones_own(rows: Any, company: Blueprint) -> None:
    elsewhere = Caller(1, "csm", ("region:a", "segment:b"))
    whole = EXPERIENCE.compute(Ask(rows=rows, blueprint=company, by="group:segment"))
    result = see(whole, company, elsewhere, decide_measure(elsewhere, "experience"))
    assert {row["group"] for row in result.rows} == {"b"}


def test_a_dpo_sees_counts_and_no_other_figure(rows: Any, company: Blueprint) -> None:
    counts = {
        "n",
        "customers",
        "visits",
        "entered",
        "moved_on",
        "left",
        "under_way",
        "late",
        "count",
        "outgoing",
        "cells",
    }
    for name in ("experience", "journey", "transitions", "stakes"):
        result = seen(rows, company, name, "dpo")
        for row in result.rows:
            told = {key for key, value in row.items() if isinstance(value, int | float)}
            assert told <= counts, (name, told - counts)
        assert any(row[key] for row in result.rows for key in counts & row.keys())


def test_finance_sees_value_alone(rows: Any, company: Blueprint) -> None:
    assert seen(rows, company, "stakes", "finance").rows
    with pytest.raises(ParcoursError):
        seen(rows, company, "experience", "finance")
