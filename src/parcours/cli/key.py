"""`parcours key`: the write keys with which SDKs send."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json
from parcours.collect import read_sources
from parcours.collect.write_keys import list_write_keys, make_write_key, revoke_write_key
from parcours.errors import ParcoursError
from parcours.words import Words


@click.command("key")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["add", "list", "revoke"]))
@click.argument("source", required=False)
@click.argument("ending", required=False)
@click.option("--json", "as_json", is_flag=True)
def command(folder: Path, action: str, source: str | None, ending: str | None, as_json: bool) -> None:
    """Make (add SOURCE), list, or revoke (SOURCE ENDING) write keys of FOLDER; a key is shown once, when it is made."""
    company = companies.open(folder)
    if action == "list":
        print_keys(folder, as_json)
        return
    if source is None or (action == "revoke" and ending is None):
        raise click.UsageError(f"key {folder} add SOURCE | key {folder} revoke SOURCE ENDING")
    if action == "revoke":
        revoke_write_key(folder, source, str(ending))
        click.echo(str(Words(fr=f"Révoquée : …{ending} de {source}.", en=f"Revoked: …{ending} of {source}.")))
        return
    sources = {one.source.source: one.source for one in read_sources(folder, company.blueprint, company.settings)}
    if source not in sources:
        raise ParcoursError(
            "unknown_source",
            Words(fr=f"La source « {source} » n'est pas décrite.", en=f"The source “{source}” is not described."),
            Words(
                fr=f"Sources : {', '.join(sources) or '–'}. Décrivez-la sous sources/ avec connector: http.",
                en=f"Sources: {', '.join(sources) or '–'}. Describe it under sources/ with connector: http.",
            ),
        )
    key = make_write_key(folder, sources[source])
    if as_json:
        print_json({"source": source, "write_key": key})
        return
    click.echo(key)
    click.echo(
        str(
            Words(
                fr="Notez cette clé : elle n'est gardée nulle part et ne sera plus montrée.",
                en="Note this key: it is kept nowhere and will not be shown again.",
            )
        ),
        err=True,
    )


def print_keys(folder: Path, as_json: bool) -> None:
    """Print every key by its last letters."""
    keys = list_write_keys(folder)
    if as_json:
        print_json([{name: getattr(key, name) for name in key.__struct_fields__ if name != "digest"} for key in keys])
        return
    for key in keys:
        made = time.strftime("%Y-%m-%d", time.gmtime(key.made_ms / 1000))
        state = Words(fr="révoquée", en="revoked") if key.revoked_ms else Words(fr="en vigueur", en="in force")
        click.echo(f"{key.source}  …{key.ending}  {made}  {state}")
