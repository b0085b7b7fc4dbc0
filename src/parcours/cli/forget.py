"""`parcours forget`: erase one person, after a dry run and a question; finish what was cut short; check a receipt."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import Bars, print_json, write_number
from parcours.errors import ParcoursError
from parcours.know import ErasureReceipt, Preview
from parcours.words import Words

_NOT_ASKED = Words(fr="Rien n'a été effacé.", en="Nothing was erased.")


@click.command("forget")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("identifier", metavar="ID")
@click.argument("more", required=False, default=None, metavar="[FILE|N]")
@click.option("--dry-run", is_flag=True, help="Say what would go and what would stay; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--request", "request_no", type=int, default=0, help="The number of the request that this answers.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write the receipt there.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    folder: Path,
    identifier: str,
    more: str | None,
    dry_run: bool,
    yes: bool,
    request_no: int,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Erase from FOLDER whoever has ID (or user:, mail:, phone:, device:ID), and print the signed receipt.

    `from FILE` in the place of ID erases everybody whose identifier stands in a file, one a line; `resume` goes on with
    what was cut short, `verify FILE` checks a receipt, `receipt N` prints one.
    """
    company = companies.open(folder)
    if identifier == "verify" and more is not None:
        return _verify(company, Path(more), as_json)
    if identifier == "receipt" and more is not None and more.isdigit():
        click.echo(company.know.rights.receipt(int(more)).decode())
        return 0
    listed = identifier == "from" and more is not None and Path(more).is_file()
    # Each receipt of a list is kept, and printed by its number: one file cannot hold them all.
    if more is not None and (not listed or out is not None):
        raise click.UsageError(
            "forget DIR ID | forget DIR from FILE | forget DIR resume | forget DIR verify FILE | forget DIR receipt N"
        )
    progress = Bars(quiet)
    try:
        if identifier == "resume":
            numbers = [one.erasure_no for one in company.know.rights.unfinished()]
        else:
            asked = (
                _preview_listed(company, Path(more))
                if more is not None
                else {identifier: flow.preview_erasure(company, identifier)}
            )
            if dry_run or not yes:
                _show(list(asked.values()), as_json and dry_run, listed)
            if dry_run:
                return 0
            if asked and not yes and not click.confirm(str(Words(fr="Effacer ?", en="Erase?")), err=True):
                click.echo(str(_NOT_ASKED), err=True)
                return 1
            numbers = [_begin(company, one, request_no, listed) for one in asked]
        for number in numbers:
            receipt = flow.finish_erasure(company, number, "cli", progress)
            _give(company, receipt, out, as_json)
    finally:
        progress.end()
    return 0


def _preview_listed(company: companies.Company, path: Path) -> dict[str, Preview]:
    """Return what would go of everybody whose identifier stands in ``path``; say of whom nothing is held."""
    listed = path.read_text("utf-8").split("\n")
    found: dict[str, Preview] = {}
    for identifier in filter(None, map(str.strip, listed)):
        try:
            found[identifier] = flow.preview_erasure(company, identifier)
        except ParcoursError as error:
            if error.code != "nobody_found":
                raise
            click.echo(f"{identifier}: {error}", err=True)
    return found


def _begin(company: companies.Company, identifier: str, request_no: int, listed: bool) -> int:
    """Begin one erasure; of a list each answers a request, which is entered where it is not."""
    if listed:
        request_no = flow.enter_erasure_request(company, identifier, "cli", "list")
        company.know.requests.check_identity(request_no, "listed", "cli")
    return flow.begin_erasure(company, identifier, "cli", request_no)


def _show(previews: list[Preview], as_json: bool, listed: bool) -> None:
    if as_json:
        print_json(previews if listed else previews[0])
        return
    for preview in previews:
        print_preview(preview)


def _give(company: companies.Company, receipt: ErasureReceipt, out: Path | None, as_json: bool) -> None:
    document = company.know.rights.receipt(receipt.erasure_no)
    if out is not None:
        out.write_bytes(document)
    if as_json:
        click.echo(document.decode())
    else:
        print_receipt(receipt)


def _verify(company: companies.Company, path: Path, as_json: bool) -> int:
    receipt = company.know.rights.check_receipt(path.read_bytes())
    told = company.know.rights.deliveries(receipt)
    if as_json:
        print_json({"receipt": receipt, "recipients": told})
        return 0
    print_receipt(receipt)
    for destination, outcome in told.items():
        click.echo(f"  {destination}  {_OUTCOMES[outcome]}")
    return 0


def print_preview(preview: Preview) -> None:
    """Print what an erasure would do: who goes, who stays and why."""
    sections = (
        (Words(fr="Seraient effacés", en="Would be erased"), preview.identifiers),
        (Words(fr="Restent : appareils partagés", en="Stay: shared devices"), preview.shared),
        (Words(fr="Restent : non réunis à cette personne", en="Stay: not joined to this person"), preview.refused),
    )
    for title, held in sections:
        for place, one in enumerate(held):
            if not place:
                click.echo(str(Words(fr=f"{title.fr} :", en=f"{title.en}:")))
            events = Words(fr="événements", en="events")
            click.echo(f"  {one.kind}:{one.value or '?'}  {write_number(one.events)} {events}")
    for source, count in sorted(preview.events.items()):
        click.echo(str(Words(fr=f"  {write_number(count)} événements de {source}",
                             en=f"  {write_number(count)} events of {source}")))  # fmt: skip
    if preview.beside:
        beside = write_number(preview.beside)
        click.echo(
            str(
                Words(
                    fr=f"{beside} événements d'autres personnes perdent un identifiant effacé, et restent.",
                    en=f"{beside} events of other people lose an erased identifier, and stay.",
                )
            )
        )
    if preview.retained:
        listed = ", ".join(preview.retained)
        click.echo(str(Words(fr=f"La loi garde, à part : {listed}.", en=f"The law keeps, apart: {listed}.")))
    if preview.recipients:
        listed = ", ".join(preview.recipients)
        told = Words(
            fr=f"Destinataires prévenus s'ils ont reçu ces événements : {listed}.",
            en=f"Recipients that are told if they got these events: {listed}.",
        )
        click.echo(str(told))


def print_receipt(receipt: ErasureReceipt) -> None:
    """Print a receipt in sentences."""
    seconds = write_number((receipt.done_ms - receipt.asked_ms) / 1000, 1)
    identifiers = ", ".join(f"{count} {kind}" for kind, count in receipt.identifiers.items())
    proof = receipt.proof
    files, cells = write_number(proof.files), write_number(proof.cells)
    told = [
        Words(
            fr=f"Effacement n° {receipt.erasure_no} prouvé en {seconds} s : {identifiers}.",
            en=f"Erasure no. {receipt.erasure_no} proved in {seconds} s: {identifiers}.",
        ),
        Words(
            fr=f"{files} fichiers et {cells} cellules lus et décodés : il ne reste rien.",
            en=f"{files} files and {cells} cells read and decoded: nothing is left.",
        ),
    ]
    for words in told:
        click.echo(str(words))
    for name, count in receipt.gone.items():
        click.echo(f"  {name}  {write_number(count)}")
    for place, count in proof.mentions.items():
        click.echo(
            str(
                Words(
                    fr=f"! {write_number(count)} mention(s) par d'autres dans {place} : à vous de juger.",
                    en=f"! {write_number(count)} mention(s) by others in {place}: yours to judge.",
                )
            )
        )
    for kept in receipt.retained:
        until = _day(kept.until_ms)
        click.echo(
            str(
                Words(
                    fr=f"Gardé par la loi ({kept.id}) : {write_number(kept.rows)} jusqu'au {until}.",
                    en=f"Kept by law ({kept.id}): {write_number(kept.rows)} until {until}.",
                )
            )
        )
    for backup in receipt.backups:
        click.echo(f"{_day(backup.until_ms)}  {backup.what}")


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))


_OUTCOMES = {
    "delivered": Words(fr="prévenu", en="told"),
    "refused": Words(fr="a refusé", en="refused"),
    "waiting": Words(fr="en attente", en="waiting"),
}
