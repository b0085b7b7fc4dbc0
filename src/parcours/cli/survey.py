"""`parcours survey`: the link that asks a customer about a touchpoint, or a list of them with their links."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from parcours import company as companies
from parcours.blueprint.records import IdentifierType
from parcours.cli.output import write_number
from parcours.collect.survey.invitations import LINK, MOST_DAYS, Inviter, Recipients
from parcours.collect.survey.links import derive_keys
from parcours.collect.survey.questions import ask_question
from parcours.errors import ParcoursError
from parcours.words import Language, Words

MOST_TOLD = 10
"""How many rows without a link are told one by one."""


@click.command("survey")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("touchpoint")
@click.option("--user", default="", help="The customer's own id.")
@click.option("--mail", default="")
@click.option("--phone", default="")
@click.option("--device", default="")
@click.option("--object", "objects", multiple=True, metavar="KIND=ID", help="What it speaks of: order=O-1. Repeatable.")
@click.option("--lang", "language", type=click.Choice(["fr", "en"]), default=None, help="The page opens in it.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="How long it is good.")
@click.option(
    "--csv",
    "recipients",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=None,
    help="A list of recipients instead of one; “-” reads it from stdin.",
)
def command(
    folder: Path,
    touchpoint: str,
    user: str,
    mail: str,
    phone: str,
    device: str,
    objects: tuple[str, ...],
    language: Language | None,
    days: int,
    recipients: Path | None,
) -> None:
    """Print a link that asks about TOUCHPOINT of FOLDER; with --csv, the list with a link on each line."""
    company = companies.open(folder)
    collect = company.settings.collect
    who: dict[IdentifierType, str] = {"user": user, "mail": mail, "phone": phone, "device": device}
    about = dict(_split_object(each) for each in objects)
    if recipients and (any(who.values()) or about):
        raise click.UsageError(
            str(
                Words(
                    fr="--csv donne déjà les destinataires et les objets", en="--csv already gives people and objects"
                )
            )
        )
    ask_question(company.blueprint, touchpoint)  # before keys are made for a question that cannot be asked
    inviter = Inviter(
        company.blueprint,
        touchpoint,
        derive_keys(company.know.survey_key()),
        collect.public_url or f"http://127.0.0.1:{collect.port}",
        days,
        language or company.settings.language,
        time.time_ns() // 1_000_000,
    )
    if recipients:
        with _open_text(recipients) as stream:
            _invite_list(inviter, Recipients(stream, str(recipients), inviter.objects))
    else:
        link = inviter.invite(who, about)
        click.echo(link)
        _tell_untied(inviter, 0 if inviter.tie in about else 1)
    if not collect.public_url:
        click.echo(
            str(
                Words(
                    fr="Ces liens ne s'ouvrent que sur cette machine ; donnez l'adresse publique sous [collect] "
                    "public_url dans parcours.toml.",
                    en="These links open on this machine alone; give the public address under [collect] public_url "
                    "in parcours.toml.",
                )
            ),
            err=True,
        )


def _invite_list(inviter: Inviter, recipients: Recipients) -> None:
    """Write the list with its links on stdout; tell on stderr which rows are left out, and why."""
    page = io.StringIO(newline="")
    writer = csv.DictWriter(page, [*recipients.columns, LINK], delimiter=recipients.delimiter, lineterminator="\n")
    writer.writeheader()
    made, left, untied = 0, 0, 0
    for invited in inviter.invite_rows(recipients.rows()):
        if invited.reason is not None:
            left += 1
            if left <= MOST_TOLD:
                told = Words(
                    fr=f"Ligne {invited.line} laissée : {invited.reason.fr}",
                    en=f"Line {invited.line} left out: {invited.reason.en}",
                )
                click.echo(str(told), err=True)
            continue
        made += 1
        untied += bool(inviter.tie) and not invited.row.get(inviter.tie or "", "").strip()
        writer.writerow(invited.row)
        click.echo(page.getvalue(), nl=False)
        page.seek(0)
        page.truncate()
    click.echo(page.getvalue(), nl=False)
    _tell_untied(inviter, untied)
    links, gone = write_number(made), write_number(left)
    click.echo(
        str(Words(fr=f"Liens : {links}. Lignes laissées : {gone}.", en=f"Links: {links}. Lines left out: {gone}.")),
        err=True,
    )


def _tell_untied(inviter: Inviter, count: int) -> None:
    """Warn of links that name no object where answers are tied by one."""
    if inviter.tie and count:
        number = write_number(count)
        click.echo(
            str(
                Words(
                    fr=f"Liens sans « {inviter.tie} » : {number}. La réponse parlera du dernier passage du client, "
                    "et deux liens donneront deux réponses.",
                    en=f"Links without “{inviter.tie}”: {number}. The answer will speak of the customer's latest touch "
                    "there, and two links will give two answers.",
                )
            ),
            err=True,
        )


def _split_object(text: str) -> tuple[str, str]:
    kind, separator, value = text.partition("=")
    if not separator or not kind.strip() or not value.strip():
        raise click.BadParameter(
            str(Words(fr=f"« {text} » n'est pas de la forme order=O-1", en=f"“{text}” is not of the form order=O-1")),
            param_hint="--object",
        )
    return kind.strip(), value.strip()


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if str(path) == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline="")
        return
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as fault:
        raise ParcoursError(
            "survey_list_missing",
            Words(fr=f"La liste {path} ne s'ouvre pas.", en=f"The list {path} cannot be opened."),
            Words(fr="Donnez à --csv le chemin d'un fichier CSV.", en="Give --csv the path of a CSV file."),
            path,
        ) from fault
