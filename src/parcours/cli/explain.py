"""`parcours explain`: why these identifiers are one person, and what did not join."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json, write_number
from parcours.know import Explanation, name_identifier, tell_link, unknown_identifier
from parcours.words import Words

ACTOR = "cli"


@click.command("explain")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("identifier")
@click.option(
    "--unmask", "reason", default=None, metavar="REASON", help="Show identifiers in full; the reason is logged."
)
@click.option("--json", "as_json", is_flag=True)
def command(folder: Path, identifier: str, reason: str | None, as_json: bool) -> None:
    """Say why whoever has IDENTIFIER in FOLDER (or user:, mail:, phone:, device:IDENTIFIER) is one person."""
    know = companies.open(folder).know
    told = know.explain(identifier) if reason is None else know.explain_unmasked(identifier, ACTOR, reason)
    if not told:
        raise unknown_identifier(identifier)
    if as_json:
        print_json(told)
        return
    for one in told:
        print_explanation(one)


def print_explanation(told: Explanation) -> None:
    """Print one profile: its identifiers, the proof, and what did not join."""
    count = write_number(told.count)
    click.echo(
        str(
            Words(
                fr=f"Profil {told.profile} : {count} identifiant(s), événements jusqu'à {told.as_of}, "
                f"règles {told.rules}.",
                en=f"Profile {told.profile}: {count} identifier(s), events up to {told.as_of}, rules {told.rules}.",
            )
        )
    )
    for one in told.identifiers[: told.count]:
        click.echo(f"  {name_identifier(one)}  [{one.pseudonym}]")
    _print_links(Words(fr="Preuve, le chemin le plus court :", en="Proof, the shortest way:"), told, proof=True)
    if told.also:
        click.echo(
            "  "
            + str(
                Words(
                    fr=f"et {write_number(told.also)} autre(s) lien(s) qui le redisent.",
                    en=f"and {write_number(told.also)} more edge(s) that say so again.",
                )
            )
        )
    _print_links(Words(fr="Ce qui n'a pas réuni :", en="What did not join:"), told, proof=False)
    if told.left_out:
        click.echo("  " + str(Words(fr=f"et {told.left_out} autres.", en=f"and {told.left_out} more.")))


def _print_links(title: Words, told: Explanation, proof: bool) -> None:
    links = told.proof if proof else told.turned_down
    if links:
        click.echo(str(title))
    for link in links:
        click.echo(f"  {tell_link(told, link)}")
