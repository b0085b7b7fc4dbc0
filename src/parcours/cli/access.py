"""`parcours access`: all that is held of one person, for them, as JSON or a page; or what they provided themselves."""

from __future__ import annotations

import os
from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import say_count
from parcours.know import Dossier, Scope, write_json, write_letter
from parcours.words import Words, language


@click.command("access")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("identifier", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="FILE.json or FILE.html")
@click.option("--portable", is_flag=True, help="Only what they provided (GDPR art. 20).")
@click.option("--request", "request_no", type=int, default=0, help="The number of the request that this answers.")
def command(folder: Path, identifier: str, out: Path, portable: bool, request_no: int) -> None:
    """Write what FOLDER holds of whoever has ID (or user:, mail:, phone:, device:ID), in the language in force."""
    if out.suffix not in (".json", ".html"):
        raise click.UsageError("--out FILE.json | --out FILE.html")
    scope: Scope = "portability" if portable else "access"
    write_dossier(flow.compile_dossier(companies.open(folder), identifier, scope, "cli", request_no), out)


def write_dossier(dossier: Dossier, out: Path) -> None:
    """Write a dossier to a file, as JSON or as a page, in the language in force; say how much it holds."""
    if out.suffix == ".json":
        _write_private(out, write_json(dossier, language()))
    else:
        _write_private(out, write_letter(dossier, language()).encode())
    events = say_count(len(dossier.events), ("événement", "événements"), ("event", "events"))
    click.echo(str(Words(fr=f"{out} : {events.fr}", en=f"{out}: {events.en}")))


def _write_private(out: Path, document: bytes) -> None:
    """Write what one person alone may read to a file that the account of this command alone may read."""
    with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # One that stood there before may have been open to others.
        file.write(document)
