"""`parcours replay`: put quarantined events back, after the blueprint or a source was mended."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import print_json, write_number
from parcours.collect.replay import list_quarantine
from parcours.words import Words


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--source", default=None, help="Only the events of this source.")
@click.option("--code", default=None, help="Only the events with this fault.")
@click.option("--dry-run", is_flag=True, help="List what waits, and put nothing back.")
@click.option("--json", "as_json", is_flag=True)
def command(folder: Path, source: str | None, code: str | None, dry_run: bool, as_json: bool) -> None:
    """Put the events in quarantine of FOLDER back on their way; what is still wrong returns there."""
    company = companies.open(folder)
    waiting = [
        group for group in list_quarantine(folder) if source in (None, group.source) and code in (None, group.code)
    ]
    if dry_run:
        if as_json:
            print_json(waiting)
            return
        for group in waiting:
            click.echo(f"{write_number(group.count)}  {group.source}  {group.code}  {group.reason}")
        return
    put_back, done = flow.replay(company, source, code)
    if as_json:
        print_json({"put_back": put_back, "kept": done.kept, "quarantined": done.quarantined})
        return
    click.echo(
        str(
            Words(
                fr=f"{write_number(put_back)} événements remis en route : {write_number(done.kept)} gardés, "
                f"{write_number(done.quarantined)} de retour en quarantaine.",
                en=f"{write_number(put_back)} events put back: {write_number(done.kept)} kept, "
                f"{write_number(done.quarantined)} in quarantine again.",
            )
        )
    )
