"""Tests of the page that explains decisions: what it says is what is decided, for every role, action and thing."""

from __future__ import annotations

import pytest
from firm import Firm

from parcours.know import ACTIONS, ROLES, Caller, Role, decide, permissions
from parcours.workspaces.pages.permission import ASKED, list_things, read_permission
from parcours.workspaces.render import render


@pytest.mark.parametrize("role", ROLES)
def test_it_says_what_is_decided(firm: Firm, role: Role) -> None:
    things = list_things(firm, "en")
    team = firm.blueprint.teams[0].id
    scope = (team,) if role == "cem" else ("account:mine",)
    for action in ACTIONS:
        for code in ("", "own_customer", "other_customer", "own_proposal", "undecided", "touchpoint:delivery"):
            page = read_permission(firm, "en", role, action, code, team)
            decision = decide(Caller(ASKED, role, scope), action, things[code][1])
            assert page.explained.allowed == decision.allowed
            assert page.explained.rule == decision.rule.en
            assert page.explained.remedy == decision.remedy.en
            assert bool(page.explained.bounds) == decision.allowed


def test_examples_come_out_as_they_are_meant(firm: Firm) -> None:
    for role, action, thing, allowed in (
        ("csm", "see_customer", "own_customer", True),
        ("csm", "see_customer", "other_customer", False),
        ("cco", "approve_change", "own_proposal", False),
        ("cco", "approve_change", "other_proposal", True),
        ("it", "run_erasure", "decided", True),
        ("it", "run_erasure", "undecided", False),
    ):
        assert read_permission(firm, "fr", role, action, thing).explained.allowed == allowed, (role, action, thing)
    owner = firm.blueprint.touchpoint("delivery").owner
    for team in firm.blueprint.teams:
        page = read_permission(firm, "en", "cem", "see_results", "touchpoint:delivery", team.id)
        assert page.explained.allowed == (team.id == owner)


def test_the_whole_table_is_on_the_page(firm: Firm) -> None:
    page = read_permission(firm, "en")
    assert [row.action for row in page.rows] == list(ACTIONS)
    assert [head for head, _ in page.heads] == ["CCO", "CMO", "CEM", "CSM", "DPO", "Sales", "Finance", "IT"]
    for row in page.rows:
        for role, cell in zip(ROLES, row.cells, strict=True):
            assert bool(cell) == ((role, row.action) in permissions())
    text = render(page, "en")
    assert text.count("<tr>") == len(ACTIONS) + 1
    for language in ("fr", "en"):
        assert "<table" in render(read_permission(firm, language), language)


def test_what_is_asked_wrongly_falls_back_to_what_there_is(firm: Firm) -> None:
    page = read_permission(firm, "en", "king", "fly", "<script>", "nobody")
    assert [one.code for one in page.roles if one.chosen] == ["cco"]
    assert [one.code for one in page.actions if one.chosen] == ["see_results"]
    assert [one.code for one in page.things if one.chosen] == [""]
    assert "<script>" not in render(page, "en")
