"""`parcours timeline`: one customer over every channel, up to this second."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json, write_number
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
    if profiled:
        print_json(company.profile(identifier, purpose))
        return
    timeline = company.timeline(identifier, purpose)
    if as_json:
        print_json(timeline)
    else:
        print_timeline(company, timeline)


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
    count = write_number(timeline.count)
    click.echo(
        str(
            Words(
                fr=f"{count} événements, {timeline.identifiers} identifiants, finalité {timeline.purpose} (UTC).",
                en=f"{count} events, {timeline.identifiers} identifiers, purpose {timeline.purpose} (UTC).",
            )
        )
    )
