"""`parcours access`: all that is held of one person, for them, as JSON or a page; or what they provided themselves."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import write_number
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
        out.write_bytes(write_json(dossier, language()))
    else:
        out.write_text(write_letter(dossier, language()), "utf-8")
    count = write_number(len(dossier.events))
    click.echo(str(Words(fr=f"{out} : {count} événements", en=f"{out}: {count} events")))
