"""Who may do what: any decision explained, by which rule and what would allow it, and the whole table."""

from __future__ import annotations

import msgspec

from parcours.know import (
    ACTION_LABELS,
    ACTIONS,
    ROLE_LABELS,
    ROLES,
    Action,
    Caller,
    Decision,
    Right,
    Role,
    Thing,
    decide,
    permissions,
    say_bounds,
)
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page, name_role
from parcours.workspaces.readable import Readable
from parcours.workspaces.signing_in.asking import who_asks
from parcours.workspaces.things import find_touchpoint
from parcours.workspaces.wording import Say

ASKED, OTHER = 1, 2
"""Whoever a decision is explained for, and somebody else: numbers of nobody in particular."""

_MINE, _THEIRS = ("account:mine",), ("account:theirs",)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to choose in the form."""

    code: str
    label: str
    chosen: bool


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A decision in words: the question, the answer, the rule, the bounds, and what would allow it."""

    question: str
    allowed: bool
    verdict: str
    rule: str
    bounds: tuple[str, ...]
    remedy: str


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """One action of the table: its name, its words, and a cell a role; an empty cell is a refusal."""

    action: str
    label: str
    cells: tuple[str, ...]


class PermissionPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of permissions shows."""

    frame: Frame
    roles: tuple[Choice, ...]
    actions: tuple[Choice, ...]
    things: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    explained: Explained
    heads: tuple[tuple[str, str], ...]
    rows: tuple[TableRow, ...]


def read_permission(
    company: Readable, language: Language, role: str = "", action: str = "", thing: str = "", team: str = ""
) -> PermissionPage:
    """Read the decision about ``role``, ``action`` and ``thing``; what is none of these falls back to the first."""
    say, asking = Say(language), who_asks()
    mine = asking.caller.role if asking else ROLES[0]
    chosen_role: Role = next((one for one in ROLES if one == role), mine)
    chosen_action: Action = next((one for one in ACTIONS if one == action), "see_results")
    teams = {one.id: one.label.in_language(language) for one in company.blueprint.teams}
    chosen_team = team if team in teams else next(iter(teams), "")
    things = list_things(company, language)
    chosen_thing = thing if thing in things else ""
    caller = Caller(ASKED, chosen_role, (chosen_team,) if chosen_role == "cem" else _MINE)
    decision = decide(caller, chosen_action, things[chosen_thing][1])
    return PermissionPage(
        frame=frame_page(company, language, "permission", say("permission.title")),
        roles=_choose({one: ROLE_LABELS[one].in_language(language) for one in ROLES}, chosen_role),
        actions=_choose({one: ACTION_LABELS[one].in_language(language) for one in ACTIONS}, chosen_action),
        things=_choose({code: label for code, (label, _) in things.items()}, chosen_thing),
        teams=_choose(teams, chosen_team),
        explained=_explain(chosen_role, chosen_action, things[chosen_thing][0], decision, language),
        heads=tuple((name_role(one, language), ROLE_LABELS[one].in_language(language)) for one in ROLES),
        rows=tuple(_write_row(one, language) for one in ACTIONS),
    )


def list_things(company: Readable, language: Language) -> dict[str, tuple[str, Thing | None]]:
    """Return what a decision can be explained for, by code: its words, and the thing as the decision knows it."""
    say = Say(language)
    found: dict[str, tuple[str, Thing | None]] = {
        "": (say("permission.nothing"), None),
        "own_customer": (say("permission.own_customer"), Thing("profile", "", accounts=_MINE)),
        "other_customer": (say("permission.other_customer"), Thing("profile", "", accounts=_THEIRS)),
        "own_proposal": (say("permission.own_proposal"), Thing("proposal", "", proposed_by=ASKED)),
        "other_proposal": (say("permission.other_proposal"), Thing("proposal", "", proposed_by=OTHER)),
        "decided": (say("permission.decided"), Thing("request", "", decided_by=OTHER)),
        "undecided": (say("permission.undecided"), Thing("request", "")),
    }
    for touchpoint in company.blueprint.touchpoints:
        label = say("permission.touchpoint", touchpoint=touchpoint.label.in_language(language))
        found[f"touchpoint:{touchpoint.id}"] = (label, find_touchpoint(company, {"id": touchpoint.id}))
    return found


def _explain(role: Role, action: Action, thing: str, decision: Decision, language: Language) -> Explained:
    say = Say(language)
    told = say_bounds(permissions().get((role, action))).in_language(language)
    who, what = ROLE_LABELS[role].in_language(language), ACTION_LABELS[action].in_language(language)
    return Explained(
        question=say("permission.question", role=who, action=what, thing=thing),
        allowed=decision.allowed,
        verdict=say("permission.allowed" if decision.allowed else "permission.refused"),
        rule=decision.rule.in_language(language),
        bounds=tuple(told.split(", ")) if decision.allowed else (),
        remedy=decision.remedy.in_language(language),
    )


def _write_row(action: Action, language: Language) -> TableRow:
    yes = Say(language)("permission.yes")
    rights = [permissions().get((role, action)) for role in ROLES]
    cells = ["" if right is None else say_bounds(right).in_language(language) for right in rights]
    told = tuple(yes if right == Right() else cell for right, cell in zip(rights, cells, strict=True))
    return TableRow(action=action, label=ACTION_LABELS[action].in_language(language), cells=told)


def _choose(labels: dict[str, str] | dict[Role, str] | dict[Action, str], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, label=label, chosen=code == chosen) for code, label in labels.items())
