"""`parcours opendsr`: the keys with which programs send requests about people; without one there is no interface."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.charts.numbers import write_moment
from parcours.cli.output import print_json
from parcours.company import Company
from parcours.words import Words, language

ACTOR = "cli"


@click.command("opendsr")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["add", "list", "revoke"]))
@click.argument("ending", required=False)
@click.option("--callback", multiple=True, metavar="URL", help="add: https address below which callbacks may go.")
@click.option("--json", "as_json", is_flag=True)
def command(folder: Path, action: str, ending: str | None, callback: tuple[str, ...], as_json: bool) -> None:
    """Make, list, or revoke (ENDING) the keys of FOLDER's OpenDSR interface; a key is shown once, when it is made."""
    company = companies.open(folder)
    keys, audit = company.know.opendsr.keys, company.know.audit
    if action == "list":
        _list(company, as_json)
    elif action == "add":
        key = keys.add(callback)
        audit.note(ACTOR, "manage_keys", "opendsr", key[-6:], "done", "made")
        print_json({"key": key, "callbacks": callback}) if as_json else click.echo(key)
        click.echo(str(SHOWN_ONCE), err=True)
    elif ending:
        keys.revoke(ending)
        audit.note(ACTOR, "manage_keys", "opendsr", ending, "done", "revoked")
        click.echo(str(Words(fr=f"Révoquée : …{ending}.", en=f"Revoked: …{ending}.")))
    else:
        raise click.UsageError("opendsr DIR add [--callback URL]… | list | revoke ENDING")


def _list(company: Company, as_json: bool) -> None:
    held = company.know.opendsr.keys.all()
    if as_json:
        print_json([{name: getattr(one, name) for name in one.__struct_fields__ if name != "digest"} for one in held])
        return
    for one in held:
        made = write_moment(one.made_ms, language(), company.settings.time_zone)
        state = Words(fr="révoquée", en="revoked") if one.revoked_ms else Words(fr="sert", en="serves")
        click.echo(f"…{one.ending}  {made}  {state}  {' '.join(one.callbacks)}".rstrip())


SHOWN_ONCE = Words(
    fr="Notez cette clé : elle n'est gardée nulle part et ne sera plus montrée.",
    en="Note this key: it is kept nowhere and will not be shown again.",
)
