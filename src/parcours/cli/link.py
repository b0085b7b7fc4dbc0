"""`parcours link`: find people who are probably one by comparing their own data; meant to be run at set times."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import Bars, print_json, write_number
from parcours.know import Linked
from parcours.words import Words


@click.command("link")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--train", is_flag=True, help="Learn the model anew, and compare everybody again.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, train: bool, as_json: bool, quiet: bool) -> None:
    """Compare people of FOLDER by the values that its blueprint names under link, and keep who are probably one.

    Pairs above `accept` count from now on, within the limits of one person; those above `review` wait for a person.
    """
    company = companies.open(folder)
    progress = Bars(quiet)
    try:
        done = company.know.link(train, progress)
    finally:
        progress.end()
    if as_json:
        print_json(done)
    else:
        click.echo(str(_say(done)))


def _say(done: Linked) -> Words:
    people, fresh, found = map(write_number, (done.people, done.fresh, done.found))
    accepted, waiting, held = map(write_number, (done.accepted, done.waiting, done.held))
    since = Words(
        fr=f", dont {held} qu'une limite a refusées" if done.held else "",
        en=f", {held} of them since a limit refused them" if done.held else "",
    )
    learnt = Words(
        fr="appris à cette occasion" if done.trained else "déjà appris",
        en="learnt now" if done.trained else "learnt before",
    )
    return Words(
        fr=f"{people} personnes, {fresh} comparées (modèle {done.model_no}, {learnt.fr}) : {found} paires nouvelles.\n"
        f"En tout : {accepted} réunies, {waiting} à décider{since.fr}.",
        en=f"{people} people, {fresh} compared (model {done.model_no}, {learnt.en}): {found} new pairs.\n"
        f"In all: {accepted} joined, {waiting} to be decided{since.en}.",
    )
