"""`parcours timeline`: one customer over every channel, up to this second."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json, say_count
from parcours.know import Timeline
from parcours.words import Words


@click.command("timeline")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("identifier")
@click.option("--purpose", default=None, help="By default the first that covers timeline.")
@click.option("--profile", "profiled", is_flag=True, help="The online profile alone.")
@click.option("--json", "as_json", is_flag=True)
def command(folder: Path, identifier: str, purpose: str | None, profiled: bool, as_json: bool) -> None:
    """Show what FOLDER knows of the customer who has IDENTIFIER (or user:, mail:, phone:, device:IDENTIFIER)."""
    company = companies.open(folder)
    told = company.profile(identifier, purpose) if profiled else company.timeline(identifier, purpose)
    if told.permitted:
        for kind, one in company.know.portraits.name(identifier):
            company.know.audit.note("cli", "see_customer", kind, one, "done")
    if as_json or not isinstance(told, Timeline):
        print_json(told)
    else:
        print_timeline(company, told)


def print_timeline(company: companies.Company, timeline: Timeline) -> None:
    """Print the events, latest first."""
    if not timeline.permitted:
        click.echo(
            str(
                Words(
                    fr=f"La finalité « {timeline.purpose} » ne permet pas de voir cette personne.",
                    en=f"The purpose “{timeline.purpose}” may not see this person.",
                )
            )
        )
        return
    for event in timeline.events:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event.occurred_ms / 1000))
        label = str(company.labels[f"touchpoint:{event.touchpoint}"]) if event.touchpoint else "–"
        waiting = f"  ({Words(fr='vient d’arriver', en='just arrived')})" if event.waiting else ""
        click.echo(f"{at}  {event.name}  {label}  {event.source}{waiting}")
    events = say_count(timeline.count, ("événement", "événements"), ("event", "events"))
    names = say_count(timeline.identifiers, ("identifiant", "identifiants"), ("identifier", "identifiers"))
    click.echo(
        str(
            Words(
                fr=f"{events.fr}, {names.fr}, finalité {timeline.purpose} (UTC).",
                en=f"{events.en}, {names.en}, purpose {timeline.purpose} (UTC).",
            )
        )
    )
