"""Tests of the table of permissions: each cell is what the roles were agreed to see, and each rule decides."""

from __future__ import annotations

from importlib.resources import files

import pytest

from parcours.know.access.actions import ACTIONS, LABELS, Action
from parcours.know.access.permissions import APPROVALS, FILE, NARROWED, decide, read_table, say_bounds, table
from parcours.know.access.roles import LABELS as ROLE_LABELS
from parcours.know.access.roles import ROLES, Caller, Role, Thing

AGREED: dict[Role, dict[str, tuple[Action, ...]]] = {
    "cco": {
        "all": ("see_health", "approve_change", "change_rules", "see_consent"),
        "groups": ("see_results", "see_value", "export_results"),
        "masked": ("see_verbatims",),
    },
    "cmo": {
        "all": ("see_health", "propose_change", "see_consent"),
        "groups": ("see_results", "see_value", "export_results"),
        "masked": ("see_verbatims",),
    },
    "cem": {
        "all": ("see_health", "propose_change", "propose_merge", "see_consent"),
        "own": ("see_results", "see_value"),
        "masked": ("see_verbatims",),
        "masked, reason": ("see_customer",),
        "reason": ("unmask",),
    },
    "csm": {
        "own": ("see_results", "see_value", "propose_merge", "see_consent", "record_choice"),
        "own, masked": ("see_customer", "see_verbatims"),
        "own, reason": ("unmask",),
    },
    "dpo": {
        "all": (
            "see_health",
            "settle_merge",
            "see_consent",
            "decide_request",
            "run_erasure",
            "prove_erasure",
            "export_proof",
            "see_audit",
        ),
        "counts, groups": ("see_results", "see_value"),
        "masked, reason": ("see_customer",),
        "masked": ("see_verbatims",),
        "reason": ("unmask",),
    },
    "sales": {
        "own, groups": ("see_results", "see_value"),
        "own, promises, masked": ("see_customer",),
        "own": ("see_consent", "record_choice"),
    },
    "finance": {"groups": ("see_value", "export_results"), "all": ("propose_change",)},
    "it": {
        "all": ("see_health", "put_back", "manage_people", "manage_keys", "see_audit"),
        "approved": ("run_erasure",),
    },
}
"""What was agreed, role by role; everybody may also do what `EVERYBODY` says, and nothing else."""

EVERYBODY: tuple[Action, ...] = ("sign_in", "see_permissions", "see_methods")


def agreed() -> dict[tuple[Role, Action], str]:
    """Return the words of each cell that is no refusal."""
    found: dict[tuple[Role, Action], str] = {(role, action): "all" for role in ROLES for action in EVERYBODY}
    for role, cells in AGREED.items():
        found |= {(role, action): words for words, actions in cells.items() for action in actions}
    return found


def caller(role: Role, *scope: str) -> Caller:
    return Caller(7, role, scope)


def test_the_table_is_what_was_agreed() -> None:
    assert {place: right.words for place, right in table().items()} == agreed()


def text() -> str:
    return (files("parcours.know.access") / FILE).read_text("utf-8")


ROWS = [line for line in text().splitlines() if line.split("|")[1:2] and line.split("|")[1].strip() in ACTIONS]


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_a_row_that_is_gone_or_a_cell_that_is_changed_is_noticed(row: str) -> None:
    with pytest.raises(ValueError, match=row.split("|")[1].strip()):
        read_table(text().replace(row + "\n", ""))
    mutants = []
    cells = row.split("|")
    for place in range(2, len(cells) - 1):
        other = " – " if cells[place] != " – " else " all "
        mutants.append(text().replace(row, "|".join([*cells[:place], other, *cells[place + 1 :]])))
    for mutant in mutants:
        assert {place: right.words for place, right in read_table(mutant).items()} != agreed()


def test_every_action_and_role_is_in_the_table_and_has_words() -> None:
    assert [row.split("|")[1].strip() for row in ROWS] == list(ACTIONS)
    for words in (*LABELS.values(), *ROLE_LABELS.values()):
        assert words.fr
        assert words.en
    assert (set(LABELS), set(ROLE_LABELS)) == (set(ACTIONS), set(ROLES))


@pytest.mark.parametrize("wrong", ["| fly | all |", "| sign_in | all | all |"])
def test_a_table_that_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=FILE.replace(".", r"\.")):
        read_table(text() + wrong)
    with pytest.raises(ValueError, match="everything"):
        read_table(text().replace("| sign_in | all |", "| sign_in | everything |"))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_decision_follows_its_cell_and_says_so(role: Role, action: Action) -> None:
    words = agreed().get((role, action))
    scope = ("ours",)
    mine = Thing("profile", "1", teams=scope, accounts=scope, proposed_by=8, decided_by=8)
    decision = decide(caller(role, *scope), action, mine)
    assert decision.allowed == (words is not None)
    assert decision.rule.fr
    assert decision.rule.en
    assert bool(decision.remedy.en) == (not decision.allowed)
    if words is None:
        assert decision.code == "table"
        # What is refused binds as tightly as it can, should anybody forget to look.
        assert (decision.masked, decision.aggregate_only, decision.own) == (True, True, True)
        return
    bounds = words.split(", ")
    assert decision.masked == ("masked" in bounds)
    assert decision.needs_reason == ("reason" in bounds)
    assert decision.aggregate_only == ("groups" in bounds)
    assert decision.own == ("own" in bounds)
    assert decision.only == next((word for word in bounds if word in ("counts", "promises")), "")


OWN = [(role, action) for (role, action), words in agreed().items() if "own" in words.split(", ")]


@pytest.mark.parametrize(("role", "action"), OWN)
def test_what_is_somebody_elses_is_refused(role: Role, action: Action) -> None:
    theirs = Thing("profile", "1", teams=("theirs",), accounts=("theirs",))
    nobodys = Thing("profile", "1")
    # Teams are a CEM's alone, accounts those of the others.
    crossed = Thing("profile", "1", **{"accounts" if role == "cem" else "teams": ("ours",)})
    for thing in (theirs, nobodys, crossed):
        decision = decide(caller(role, "ours"), action, thing)
        assert (decision.allowed, decision.code) == (False, "own")
    for kind in NARROWED:
        assert decide(caller(role, "ours"), action, Thing(kind)).own
        assert not decide(caller(role), action, Thing(kind)).allowed
    assert not decide(caller(role), action).allowed
    assert not decide(caller(role), action, Thing("profile", "1")).allowed


@pytest.mark.parametrize("action", sorted(APPROVALS))
def test_nobody_approves_what_they_proposed(action: Action) -> None:
    (role,) = [role for role in ROLES if (role, action) in table()]
    mine, another = (Thing("change", "1", proposed_by=person) for person in (7, 8))
    assert decide(caller(role), action, another).allowed
    decision = decide(caller(role), action, mine)
    assert (decision.allowed, decision.code) == (False, "second_person")
    assert "Another person" in decision.remedy.en


def test_whoever_proposes_may_not_approve_by_the_table_alone_either() -> None:
    pairs = (("propose_change", "approve_change"), ("propose_merge", "settle_merge"))
    for propose, approve in pairs:
        assert not [role for role in ROLES if (role, propose) in table() and (role, approve) in table()]


def test_an_operator_only_runs_what_somebody_else_decided() -> None:
    for thing in (None, Thing("request", "1"), Thing("request", "1", decided_by=7)):
        decision = decide(caller("it"), "run_erasure", thing)
        assert (decision.allowed, decision.code) == (False, "undecided")
    assert decide(caller("it"), "run_erasure", Thing("request", "1", decided_by=8)).allowed


def test_bounds_are_said_in_both_languages() -> None:
    for right in (None, *table().values()):
        words = say_bounds(right)
        assert words.fr
        assert words.en


def test_a_view_tells_roles_and_what_is_their_own_apart_and_names_nobody() -> None:
    views = {caller("cem", "a").view, caller("cem", "a", "b").view, caller("csm", "a").view, caller("cem").view}
    assert len(views) == 4
    assert Caller(1, "cem", ("a", "b")).view == Caller(2, "cem", ("b", "a")).view
