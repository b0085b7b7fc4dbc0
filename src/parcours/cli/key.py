"""`parcours key`: the write keys with which SDKs send."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json
from parcours.collect import read_sources
from parcours.collect.write_keys import KeptKey, Terms
from parcours.errors import ParcoursError
from parcours.know import Access
from parcours.words import Words

ACTOR = "cli"
DAY_MS = 86_400_000


@click.command("key")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["add", "list", "revoke"]))
@click.argument("source", required=False)
@click.argument("ending", required=False)
@click.option("--origin", multiple=True, help="An origin whose pages alone may use it (https://…). Repeat it.")
@click.option("--event", multiple=True, help="The name of an event that it alone may send. Repeat it.")
@click.option("--per-second", default=0, type=click.IntRange(0), help="How many events a second it may send.")
@click.option("--days", default=None, type=click.IntRange(1, 3_660), help="After how many days it ends.")
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    action: str,
    source: str | None,
    ending: str | None,
    origin: tuple[str, ...],
    event: tuple[str, ...],
    per_second: int,
    days: int | None,
    as_json: bool,
) -> None:
    """Make (add SOURCE), list, or revoke (SOURCE ENDING) write keys of FOLDER; a key is shown once, when it is made.

    Two keys of a source may serve at once. To exchange one: add the new one, give it to whoever sends, see in the list
    that the old one is used no more, revoke the old one.
    """
    company = companies.open(folder)
    access = Access(folder, company.settings)
    if action == "list":
        print_keys(access.write_keys(), as_json)
        return
    if source is None or (action == "revoke" and ending is None):
        raise click.UsageError(f"key {folder} add SOURCE | key {folder} revoke SOURCE ENDING")
    if action == "revoke":
        access.revoke_key(ACTOR, source, str(ending))
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
    expires_ms = None if days is None else time.time_ns() // 1_000_000 + days * DAY_MS
    key = access.make_key(ACTOR, sources[source], Terms(origin, event, per_second, expires_ms))
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


def print_keys(keys: Sequence[KeptKey], as_json: bool) -> None:
    """Print every key by its last letters, with its terms and when it last served."""
    now_ms = time.time_ns() // 1_000_000
    if as_json:
        print_json([describe(one, now_ms) for one in keys])
        return
    for one in keys:
        state = say_state(one, now_ms)
        used = Words(fr=f"servie le {_day(one.used_ms)}", en=f"used {_day(one.used_ms)}")
        if one.used_ms is None:
            used = Words(fr="jamais servie", en="never used")
        terms = [*one.terms.origins, *one.terms.events]
        if one.terms.per_second:
            terms.append(f"{one.terms.per_second}/s")
        if one.terms.expires_ms is not None:
            terms.append(f"→ {_day(one.terms.expires_ms)}")
        told = f"  ({', '.join(terms)})" if terms else ""
        click.echo(f"{one.key.source}  …{one.key.ending}  {_day(one.key.made_ms)}  {used}  {state}{told}")


def say_state(one: KeptKey, now_ms: int) -> Words:
    """Say whether a key serves."""
    if one.key.revoked_ms:
        return Words(fr="révoquée", en="revoked")
    return Words(fr="en vigueur", en="in force") if one.is_live(now_ms) else Words(fr="expirée", en="expired")


def describe(one: KeptKey, now_ms: int) -> dict[str, object]:
    """Return a key as JSON, without its digest."""
    told = {name: getattr(one.key, name) for name in ("source", "ending", "made_ms", "revoked_ms")}
    terms = {name: getattr(one.terms, name) for name in one.terms.__struct_fields__}
    return {**told, **terms, "used_ms": one.used_ms, "live": one.is_live(now_ms)}


def _day(at_ms: int | None) -> str:
    return "–" if at_ms is None else time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))
