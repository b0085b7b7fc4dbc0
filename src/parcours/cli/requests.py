"""`parcours requests`: the register of what people ask for, its deadlines, and the acts that answer them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import click

from parcours import company as companies
from parcours import flow
from parcours.charts.numbers import write_date
from parcours.cli.access import write_dossier
from parcours.cli.forget import NOTHING_DONE, give_receipt, telling_what_began
from parcours.cli.output import ask, print_json
from parcours.cli.receipts import print_preview
from parcours.company import Company
from parcours.know import REQUEST_KINDS, REQUEST_NAMES, Request, RequestState
from parcours.words import LANGUAGES, Words, language

ACTOR = "cli"
ENDS = ("done", "refused", "cancelled")
USAGE = (
    "requests DIR [--overdue] | add KIND ID… | check N --reason HOW | extend N --reason WHY | close N done|cancelled | "
    "close N refused --reason WHY | restrict ID --reason WHY | lift N --reason HOW | object ID PURPOSE | uphold N | "
    "reject N --reason WHY | rectify ID FIELD VALUE | answer N [--yes] [--out FILE] [FIELD VALUE]"
)


@click.command("requests")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1, metavar="[ACTION [WORD]…]")
@click.option("--reason", default="", help="Why, or how the person told it or was told; kept with the act.")
@click.option("--request", "request_no", type=int, default=0, help="restrict, object, rectify: what this answers.")
@click.option("--received", type=click.DateTime(["%Y-%m-%d"]), default=None, help="add: the day it came in.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="answer: the dossier, or the receipt."
)
@click.option("--yes", is_flag=True, help="answer: do not ask before an erasure.")
@click.option("--overdue", is_flag=True, help="Only those that are late; ends with 1 when there are any.")
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    words: tuple[str, ...],
    reason: str,
    request_no: int,
    received: datetime | None,
    out: Path | None,
    yes: bool,
    overdue: bool,
    as_json: bool,
) -> int:
    """List what people asked of FOLDER, the first due first; enter a request, and say what became of it.

    add KIND ID…, check N, extend N, close N done|refused|cancelled: the register. restrict ID, lift N: keep somebody's
    data unused (art. 18). object ID PURPOSE, uphold N, reject N: an objection (art. 21), absolute against marketing.
    rectify ID FIELD VALUE: put a personal value right (art. 16). answer N [FIELD VALUE]: erase, put right, or write to
    --out all that is held of whoever the request names, once it was checked that it is they who ask.
    """
    company = companies.open(folder)
    if not words:
        return _list(company, overdue, as_json)
    if words[0] == "answer" and len(words) in (2, 4) and words[1].isdigit():
        return _answer(company, int(words[1]), words[2:], out, yes, as_json)
    received_ms = None
    if received is not None:
        noon = received.replace(hour=12, tzinfo=ZoneInfo(company.settings.time_zone))
        if received.date() > datetime.now(noon.tzinfo).date():
            raise _wrong("--received est dans l'avenir", "--received is in the future")
        received_ms = min(int(noon.timestamp() * 1000), time.time_ns() // 1_000_000)
    number = _act(company, words, reason, request_no, received_ms)
    held = company.know.requests.find(number)
    print_json(held) if as_json else click.echo(_say(company, held))
    if not as_json and (words[0] == "extend" or held.state == "refused"):
        click.echo(str(_letter(company, held, reason)))
    return 0


def _answer(company: Company, number: int, words: Sequence[str], out: Path | None, yes: bool, as_json: bool) -> int:
    """Erase, put a value right, or write the dossier of whoever a request names: their identifiers stay sealed."""
    kind = company.know.requests.find(number).kind
    if kind == "rectification":
        if not words:
            raise _wrong(f"il manque le champ et sa valeur : answer {number} FIELD VALUE",
                         f"the field and its value are missing: answer {number} FIELD VALUE")  # fmt: skip
        flow.answer_rectification(company, number, words[0], words[1], ACTOR)
    elif words:
        raise click.UsageError(USAGE)
    elif kind == "erasure":
        return _answer_erasure(company, number, out, yes, as_json)
    elif kind in ("access", "portability"):
        if out is None or out.suffix not in (".json", ".html"):
            raise _wrong(f"il manque où écrire le dossier : answer {number} --out FILE.html (ou FILE.json)",
                         f"where to write it is missing: answer {number} --out FILE.html (or FILE.json)")  # fmt: skip
        write_dossier(flow.answer_access(company, number, ACTOR), out)
    else:
        raise _wrong(f"aucune commande ne répond à la place de quelqu'un à une demande de {REQUEST_NAMES[kind].fr} : "
                     f"faites-le, puis close {number} done --reason …",
                     f"no command answers by itself a request for {REQUEST_NAMES[kind].en}: "
                     f"do it, then close {number} done --reason …")  # fmt: skip
    click.echo(_say(company, company.know.requests.find(number)), err=as_json)
    return 0


def _answer_erasure(company: Company, number: int, out: Path | None, yes: bool, as_json: bool) -> int:
    """Show what would go, ask, and erase whoever a request names; several people's receipts fit in no one file."""
    previews = flow.preview_answer(company, number, ACTOR)
    if out is not None and len(previews) > 1:
        raise _wrong("la demande nomme plusieurs personnes : leurs reçus se relisent avec forget DIR receipt N",
                     "the request names several people: read their receipts with forget DIR receipt N")  # fmt: skip
    if not yes:
        for preview in previews:
            print_preview(preview)
        if not ask(
            Words(fr=f"Répondre à la demande n° {number} en effaçant ?", en=f"Answer request no. {number} and erase?")
        ):
            click.echo(str(NOTHING_DONE), err=True)
            return 1
    with telling_what_began(company):
        receipts = flow.answer_erasure(company, number, ACTOR)
    for receipt in receipts:
        give_receipt(company, receipt, out, as_json)
    click.echo(_say(company, company.know.requests.find(number)), err=as_json)
    return 0


def _wrong(french: str, english: str) -> click.UsageError:
    """Return the error for a command that lacks something, which it names."""
    return click.UsageError(str(Words(fr=french, en=english)))


def _act(company: Company, words: Sequence[str], reason: str, request_no: int, received_ms: int | None) -> int:
    """Do what the words say, and return the number of the request."""
    action, *rest = words
    requests, restricting = company.know.requests, company.know.restricting
    if action == "add" and len(rest) >= 2 and rest[0] in REQUEST_KINDS:
        added = requests.open(rest[0], rest[1:], ACTOR, received_ms=received_ms)
        _note(company, added, f"{rest[0]}: received")
        return added
    acts: dict[tuple[str, int], Callable[[], object]] = {
        ("restrict", 1): lambda: flow.restrict(company, rest[0], ACTOR, reason, request_no),
        ("object", 2): lambda: flow.object_to(company, rest[0], rest[1], ACTOR, reason, request_no),
        ("rectify", 3): lambda: flow.rectify(company, rest[0], rest[1], rest[2], ACTOR, request_no),
    }
    if (action, len(rest)) in acts:
        return cast(int, acts[action, len(rest)]())
    number = int(rest[0]) if rest and rest[0].isdigit() else 0
    ends: dict[tuple[str, int], Callable[[], object]] = {
        ("check", 1): lambda: requests.check_identity(number, reason, ACTOR),
        ("extend", 1): lambda: requests.extend(number, reason, ACTOR),
        ("lift", 1): lambda: restricting.lift(number, ACTOR, reason),
        ("uphold", 1): lambda: restricting.uphold(number, ACTOR, reason),
        ("reject", 1): lambda: restricting.reject(number, ACTOR, reason),
    }
    if action == "close" and len(rest) == 2 and rest[1] in ENDS:
        ends["close", 2] = lambda: requests.close(number, cast(RequestState, rest[1]), ACTOR, reason)
    if not number or (action, len(rest)) not in ends:
        raise click.UsageError(USAGE)
    if (action in ("check", "extend") or rest[1:] == ["refused"]) and not reason.strip():
        named = " ".join(words)
        raise _wrong(f"il manque le motif : {named} --reason …", f"the reason is missing: {named} --reason …")
    ends[action, len(rest)]()
    if action in ("check", "extend", "close"):
        _note(company, number, " ".join(words))
    return number


def _note(company: Company, number: int, what: str) -> None:
    company.know.audit.note(ACTOR, "decide_request", "request", number, "done", what)


def _list(company: Company, overdue: bool, as_json: bool) -> int:
    now_ms, in_force = time.time_ns() // 1_000_000, company.know.restricting.in_force()
    held = [one for one in company.know.requests.list_requests() if one.is_open or not overdue]
    late = [one for one in held if one.is_open and one.due_ms < now_ms]
    shown = late if overdue else held
    if as_json:
        told = [{"days_left": one.days_left(now_ms), "in_force": one.number in in_force} for one in shown]
        print_json([{"request": one, **more} for one, more in zip(shown, told, strict=True)])
        return int(overdue and bool(late))
    for one in shown:
        click.echo(_say(company, one, now_ms, one.number in in_force))
    waiting, count = sum(one.is_open for one in held), len(late)
    click.echo(
        str(Words(fr=f"{waiting} en attente, {count} en retard.", en=f"{waiting} waiting for an answer, {count} late."))
    )
    return int(overdue and bool(late))


def _say(company: Company, one: Request, now_ms: int | None = None, in_force: bool = False) -> str:
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    zone, now = company.settings.time_zone, language()
    due, received = write_date(one.due_ms, now, zone), write_date(one.received_ms, now, zone)
    parts = [f"{one.number}", str(REQUEST_NAMES[one.kind]), str(STATES[one.state])]
    if one.is_open:
        days = one.days_left(now_ms)
        left = Words(fr=f"encore {days} j", en=f"{days} days left")
        if days < 0:
            left = Words(fr=f"{-days} j de retard", en=f"{-days} days late")
        more = f" ({EXTENDED})" if one.extended else ""
        parts.append(
            str(Words(fr=f"reçue le {received}, due le {due}{more}", en=f"received {received}, due {due}{more}"))
        )
        parts.append(str(left))
    else:
        closed = write_date(one.closed_ms, now, zone)
        parts.append(str(Words(fr=f"close le {closed}", en=f"closed {closed}")))
    if in_force:
        parts.append(str(IN_FORCE))
    return "  ".join(parts)


def _letter(company: Company, one: Request, reason: str) -> Words:
    """Return the notice that the person must get within the first month (GDPR art. 12(3), and 12(4) of a refusal)."""
    zone = company.settings.time_zone
    french, english = ([write_date(at_ms, said, zone) for at_ms in (one.received_ms, one.due_ms)] for said in LANGUAGES)
    name = REQUEST_NAMES[one.kind]
    if one.state == "refused":
        return Words(
            fr=f"À envoyer à la personne : « Nous avons reçu le {french[0]} votre demande (n° {one.number}, "
            f"{name.fr}). Nous n'y donnons pas suite : {reason}. Vous pouvez introduire une réclamation auprès de la "
            "CNIL (www.cnil.fr) et former un recours devant un juge. »",
            en=f"To be sent to the person: “We received your request (no. {one.number}, {name.en}) on {english[0]}. "
            f"We do not act on it: {reason}. You may lodge a complaint with your data protection authority and seek a "
            "judicial remedy.”",
        )
    return Words(
        fr=f"À envoyer à la personne : « Nous avons reçu le {french[0]} votre demande (n° {one.number}, {name.fr}). "
        f"Elle demande plus d'un mois : {reason}. Vous aurez notre réponse le {french[1]} au plus tard. Vous pouvez "
        "saisir la CNIL (www.cnil.fr) ou un juge. »",
        en=f"To be sent to the person: “We received your request (no. {one.number}, {name.en}) on {english[0]}. It "
        f"takes more than a month: {reason}. You will have our answer by {english[1]}. You may complain to your data "
        "protection authority or go to court.”",
    )


IN_FORCE = Words(fr="usage limité", en="use restricted")
EXTENDED = Words(fr="prolongée", en="extended")
STATES: dict[RequestState, Words] = {
    "received": Words(fr="identité à vérifier", en="identity to be checked"),
    "checked": Words(fr="identité vérifiée", en="identity checked"),
    "started": Words(fr="en cours", en="under way"),
    "done": Words(fr="répondue", en="answered"),
    "refused": Words(fr="refusée", en="refused"),
    "cancelled": Words(fr="retirée", en="cancelled"),
}
