"""`parcours review`: pairs that may be one person, which wait for somebody to say so or not."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json, write_number
from parcours.cli.unmerge import decide_pair
from parcours.company import Company
from parcours.know import tell_doubt
from parcours.words import Words


@click.command("review")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--same", nargs=2, default=None, metavar="ONE OTHER", help="These two are one person.")
@click.option("--not-same", nargs=2, default=None, metavar="ONE OTHER", help="These two never are.")
@click.option("--cause", default="", help="Why: it is kept with the decision.")
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path, same: tuple[str, str] | None, not_same: tuple[str, str] | None, cause: str, as_json: bool
) -> None:
    """List the pairs of FOLDER that wait for a decision, or decide about one (KIND:VALUE, or as listed)."""
    company = companies.open(folder)
    pair = same or not_same
    if pair is None:
        print_doubts(company, as_json)
        return
    if (same and not_same) or not cause.strip():
        raise click.UsageError("--same ONE OTHER | --not-same ONE OTHER, --cause TEXT")
    decide_pair(company, "approved" if same else "never_link", pair, cause, as_json)


def print_doubts(company: Company, as_json: bool) -> None:
    """Print every pair that waits, and what speaks for it."""
    doubts = company.know.review()
    if as_json:
        print_json(doubts)
        return
    for doubt in doubts:
        one, other, via = company.know.show_identifiers([doubt.one, doubt.other, doubt.via or 0])
        click.echo(f"{doubt.one:016x} {one}  {doubt.other:016x} {other}  {tell_doubt(doubt, via)}")
    count = write_number(len(doubts))
    click.echo(str(Words(fr=f"{count} paire(s) à trancher.", en=f"{count} pair(s) to decide.")))
