"""`parcours unmerge`: two identifiers that are never one person, and who changes profile by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json, write_number
from parcours.collect import company_lock
from parcours.company import Company
from parcours.know import Change, Ruling, write_profile_id
from parcours.words import Words

ACTOR = "cli"
PATIENCE_S = 30.0
BEFORE: dict[Ruling, Words] = {
    "never_link": Words(
        fr="Ces deux-là sont déjà séparés, par une décision antérieure : rien n'a changé.",
        en="These two are parted already, by an earlier decision: nothing changed.",
    ),
    "approved": Words(
        fr="Ces deux-là sont déjà une même personne, par une décision antérieure : rien n'a changé.",
        en="These two are one person already, by an earlier decision: nothing changed.",
    ),
}


@click.command("unmerge")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("one")
@click.argument("other")
@click.option("--cause", required=True, help="Why: it is kept with the decision.")
@click.option("--json", "as_json", is_flag=True)
def command(folder: Path, one: str, other: str, cause: str, as_json: bool) -> None:
    """Say that ONE and OTHER in FOLDER (KIND:VALUE each) are never one person; whoever they had joined parts."""
    company = companies.open(folder)
    decide_pair(company, "never_link", (one, other), cause, as_json)


def decide_pair(company: Company, decision: Ruling, pair: tuple[str, str], cause: str, as_json: bool) -> None:
    """Decide about two identifiers as they were written, and print who moved, or that it was decided before."""
    if not cause.strip():
        raise click.UsageError("--cause TEXT")
    with company_lock(company.folder, PATIENCE_S):
        one, other = (company.know.find_identifier(name) for name in pair)
        before = company.know.is_decided(decision, one, other)
        changes = company.know.decide(decision, one, other, ACTOR, cause)
    if before and not as_json:
        click.echo(str(BEFORE[decision]))
        return
    print_changes(company, changes, as_json)


def print_changes(company: Company, changes: Sequence[Change], as_json: bool) -> None:
    """Print which identifiers went from which profile to which, and what is to be done next."""
    if as_json:
        print_json(changes)
        return
    shown = company.know.show_identifiers([change.identifier for change in changes])
    for change, text in zip(changes, shown, strict=True):
        old, new = write_profile_id(change.old_profile), write_profile_id(change.new_profile)
        click.echo(f"{change.identifier:016x}  {text}  {old} → {new}")
    count = write_number(len(changes))
    click.echo(
        str(
            Words(
                fr=f"{count} identifiant(s) ont changé de profil. Les mesures suivent au prochain parcours run.",
                en=f"{count} identifier(s) changed profile. Measures follow with the next parcours run.",
            )
        )
    )
