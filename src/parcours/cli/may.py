"""`parcours may`: who may do what, any decision with its rule, and what would allow it."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json
from parcours.errors import ParcoursError
from parcours.know import (
    ACTION_LABELS,
    ACTIONS,
    ROLES,
    Action,
    Caller,
    Decision,
    Role,
    Thing,
    decide,
    permissions,
    say_bounds,
)
from parcours.words import Words
from parcours.workspaces.things import find_thing

WHOEVER, ANOTHER = 1, 2


@click.command("may")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("role", type=click.Choice(ROLES), required=False)
@click.argument("action", type=click.Choice(ACTIONS), required=False)
@click.argument("thing", required=False)
@click.option("--own", multiple=True, help="What is theirs: a team (cem) or an account GROUP:LABEL (csm, sales).")
@click.option("--of", "accounts", multiple=True, help="The accounts GROUP:LABEL that a profile belongs to.")
@click.option("--proposed-by-them", is_flag=True, help="They proposed the thing themselves.")
@click.option("--decided", is_flag=True, help="Somebody else has decided it.")
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    role: Role | None,
    action: Action | None,
    thing: str | None,
    own: tuple[str, ...],
    accounts: tuple[str, ...],
    proposed_by_them: bool,
    decided: bool,
    as_json: bool,
) -> int:
    """Say whether ROLE may do ACTION (to THING, as KIND:ID) in FOLDER and why; without them, print the whole table."""
    company = companies.open(folder)
    if role is None or action is None:
        _print_table(role, as_json)
        return 0
    about = None
    if thing or proposed_by_them or decided or accounts:
        kind, _, id = (thing or "thing").partition(":")
        found = find_thing(company, kind, id)
        if kind == "touchpoint" and not found.teams:
            raise _no_touchpoint(id)
        about = Thing(
            kind,
            id,
            teams=found.teams,
            accounts=(*found.accounts, *accounts),
            proposed_by=WHOEVER if proposed_by_them else None,
            decided_by=ANOTHER if decided else None,
        )
    decision = decide(Caller(WHOEVER, role, own), action, about)
    if as_json:
        print_json(decision)
    else:
        _print_decision(decision)
    return 0 if decision.allowed else 1


def _print_decision(decision: Decision) -> None:
    yes, no = Words(fr="oui", en="yes"), Words(fr="non", en="no")
    click.echo(f"{yes if decision.allowed else no}: {decision.rule}")
    if not decision.allowed:
        click.echo(f"    → {decision.remedy}")


def _print_table(role: Role | None, as_json: bool) -> None:
    """Print the table: every role's cells, or those of one role in words."""
    if as_json:
        rights = permissions()
        print_json({one: {a: rights[one, a].words for a in ACTIONS if (one, a) in rights} for one in _roles(role)})
        return
    for action in ACTIONS:
        cells = "; ".join(
            f"{one}: {say_bounds(right) if role else right.words}"
            for one in _roles(role)
            if (right := permissions().get((one, action)))
        )
        click.echo(f"{action} ({ACTION_LABELS[action]})\n    {cells or Words(fr='personne', en='nobody')}")


def _roles(role: Role | None) -> tuple[Role, ...]:
    return (role,) if role else ROLES


def _no_touchpoint(id: str) -> ParcoursError:
    return ParcoursError(
        "no_touchpoint",
        Words(fr=f"Le blueprint ne décrit pas « {id} ».", en=f"The blueprint describes no “{id}”."),
        Words(fr="Nommez un de ses points de contact.", en="Name one of its touchpoints."),
    )
