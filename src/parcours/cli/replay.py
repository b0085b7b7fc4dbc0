"""`parcours replay`: put quarantined events back, after the blueprint or a source was mended."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import print_json, write_number
from parcours.collect import Compacted
from parcours.collect.replay import list_quarantine
from parcours.errors import ParcoursError
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
        told = {"put_back": put_back.events, "kept": done.kept, "duplicates": done.duplicates}
        print_json({**told, "quarantined": done.quarantined, "discarded": done.discarded})
    else:
        click.echo(str(_say(put_back.events, done)))
    if put_back.faults:
        raise ParcoursError.of([fault for error in put_back.faults for fault in error.faults])


def _say(put_back: int, done: Compacted) -> Words:
    known = done.duplicates + done.discarded
    french = f"{write_number(put_back)} événements remis en route : {write_number(done.kept)} gardés"
    english = f"{write_number(put_back)} events put back: {write_number(done.kept)} kept"
    if known:
        french += f", {write_number(known)} déjà là ou écartés"
        english += f", {write_number(known)} there already or discarded"
    return Words(
        fr=f"{french}, {write_number(done.quarantined)} de retour en quarantaine.",
        en=f"{english}, {write_number(done.quarantined)} in quarantine again.",
    )
