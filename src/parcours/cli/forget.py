"""`parcours forget`: erase one person, after a dry run and a question; finish what was cut short; check a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import Bars, ask, print_json
from parcours.cli.receipts import print_preview, print_receipt
from parcours.errors import ParcoursError
from parcours.know import ErasureReceipt, Preview
from parcours.words import Words

USAGE = (
    "forget DIR ID | forget DIR from FILE | forget DIR resume | forget DIR verify FILE | forget DIR receipt N; "
    "--out: for one person alone"
)
NOTHING_DONE = Words(fr="Rien n'a été effacé.", en="Nothing was erased.")
CUT_SHORT = Words(
    fr="Interrompu ; l'effacement a commencé : plus rien ne montre la personne, et il n'y a pas de retour. "
    "Pour le finir : parcours forget DIR resume",
    en="Interrupted; the erasure has begun: nothing shows the person any more, and there is no way back. "
    "To finish it: parcours forget DIR resume",
)


@click.command("forget")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("identifier", metavar="ID")
@click.argument("more", required=False, default=None, metavar="[FILE|N]")
@click.option("--dry-run", is_flag=True, help="Say what would go and what would stay; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--request", "request_no", type=int, default=0, help="The number of the request that this answers.")
@click.option(
    "--unmask", "reason", default=None, metavar="REASON", help="Show identifiers in full; the reason is logged."
)
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
    reason: str | None,
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
    if identifier == "resume" and more is None:
        _finish(company, [one.erasure_no for one in company.know.rights.unfinished()], out, as_json, quiet)
        return 0
    listed = identifier == "from" and more is not None
    # Each receipt of a list is kept, and printed by its number: one file cannot hold them all.
    if more is not None and (not listed or out is not None):
        raise click.UsageError(USAGE)
    if listed and not Path(str(more)).is_file():
        raise click.UsageError(str(Words(fr=f"il n'y a pas de fichier {more}", en=f"there is no file {more}")))
    if more is not None:
        asked = _preview_listed(company, Path(more), reason)
    else:
        asked = {identifier: flow.preview_erasure(company, identifier, "cli", reason)}
    if dry_run or not yes:
        _show(list(asked.values()), as_json and dry_run, listed)
    if dry_run:
        return 0
    if not asked or not (yes or ask(Words(fr="Effacer ?", en="Erase?"))):
        click.echo(str(NOTHING_DONE), err=True)
        return 1
    with telling_what_began(company):
        numbers = [_begin(company, one, request_no, listed) for one in asked]
        _finish(company, numbers, out, as_json, quiet)
    return 0


@contextmanager
def telling_what_began(company: companies.Company) -> Iterator[None]:
    """Whoever interrupts an erasure that has begun is told so, and how to finish it; the command ends with 130."""
    try:
        yield
    except KeyboardInterrupt:
        if not company.know.rights.unfinished():
            raise
        click.echo(str(CUT_SHORT), err=True)
        raise click.exceptions.Exit(130) from None


def _finish(company: companies.Company, numbers: list[int], out: Path | None, as_json: bool, quiet: bool) -> None:
    """Go on with erasures until they are proved, and give their receipts."""
    progress = Bars(quiet)
    try:
        with telling_what_began(company):
            for number in numbers:
                give_receipt(company, flow.finish_erasure(company, number, "cli", progress), out, as_json)
    finally:
        progress.end()


def _preview_listed(company: companies.Company, path: Path, reason: str | None) -> dict[str, Preview]:
    """Return what would go of everybody whose identifier stands in ``path``; say of whom nothing is held."""
    listed = path.read_text("utf-8").split("\n")
    found: dict[str, Preview] = {}
    for identifier in filter(None, map(str.strip, listed)):
        try:
            found[identifier] = flow.preview_erasure(company, identifier, "cli", reason)
        except ParcoursError as error:
            if error.code not in ("nobody_found", "erasure_unfinished"):
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


def give_receipt(company: companies.Company, receipt: ErasureReceipt, out: Path | None, as_json: bool) -> None:
    """Print a receipt, and write it to ``out`` as well where that is given."""
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


_OUTCOMES = {
    "delivered": Words(fr="prévenu", en="told"),
    "refused": Words(fr="a refusé", en="refused"),
    "waiting": Words(fr="en attente", en="waiting"),
}
