"""`parcours keys`: another key in the place of the one in force."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json, write_number
from parcours.words import Words


@click.command("keys")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["rotate"]))
@click.argument("key", metavar="master|identifiers|quarantine")
@click.option("--json", "as_json", is_flag=True, help="key, count, place.")
def command(folder: Path, action: str, key: str, as_json: bool) -> None:
    """Rotate a KEY of FOLDER; stop serve first."""
    done = companies.open(folder).know.rotate(key)
    if as_json:
        print_json(done)
        return
    count = write_number(done.count)
    told = Words(fr=f"{key} : {count} refaits avec une nouvelle clé.", en=f"{key}: {count} made anew with another key.")
    if key == "master":
        told = Words(
            fr=f"Nouvelle clé maîtresse : {done.place or 'celle de PARCOURS_NEXT_MASTER_KEY'}. Détruisez l'ancienne "
            "et les sauvegardes de keys.db qu'elle ouvre.",
            en=f"New master key: {done.place or 'that of PARCOURS_NEXT_MASTER_KEY'}. Destroy the old one and the "
            "backups of keys.db that it opens.",
        )
    click.echo(str(told))
