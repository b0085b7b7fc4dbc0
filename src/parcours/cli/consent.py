"""`parcours consent`: who allows what, how the ledger stands, why a row is or is not there, and choices told to us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parcours import company as companies
from parcours.charts.numbers import write_moment
from parcours.cli.output import align, print_json, width_of, write_number
from parcours.company import Company
from parcours.know import ChoiceProof, ConsentOverview, Counts, LedgerLine, Why
from parcours.words import Words, language

ACTOR = "cli"
ACTIONS = ("show", "why", "record", "proof")
HEAD_LETTERS = 16


@click.command("consent")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(ACTIONS), default="show")
@click.argument("words", nargs=-1)
@click.option("--purpose", default=None, help="record: what it is about.")
@click.option("--grant/--refuse", "granted", default=None, help="record: what they chose.")
@click.option("--reason", default="", help="record: how they told it; proof: who asks for it.")
@click.option(
    "--latest", default=10, show_default=True, type=click.IntRange(0, 1000), help="show: lines of the ledger."
)
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    action: str,
    words: tuple[str, ...],
    purpose: str | None,
    granted: bool | None,
    reason: str,
    latest: int,
    as_json: bool,
) -> None:
    """Show how much of FOLDER each purpose may see, and how its ledger stands.

    why TABLE ID: why rows of that customer are in a derived table (touches, answers, operations, customers, or
    PURPOSE/TABLE), or are not. record ID --purpose P --grant|--refuse --reason TEXT: record what a customer told us.
    proof ID --reason TEXT: prove what somebody chose, though they were erased since.
    """
    company = companies.open(folder)
    if action == "show" and not words:
        overview = company.know.consents.overview(latest)
        print_json(overview) if as_json else print_overview(company, overview)
    elif action == "why" and len(words) == 2:
        found = company.know.explain_row(words[0], words[1])
        print_json(found) if as_json else print_why(company, found)
    elif action == "record" and len(words) == 1 and purpose is not None and granted is not None:
        done = company.know.consents.record(words[0], purpose, granted, ACTOR, reason)
        verdict = company.know.may(words[0], purpose)
        if as_json:
            print_json({"recorded": done, "allowed": verdict.allowed, "why": verdict.reason})
            return
        click.echo(str(_say_recorded(done.identifiers, done.entries)))
        click.echo(str(verdict.reason))
    elif action == "proof" and len(words) == 1:
        proofs = company.know.consents.prove(words[0], ACTOR, reason)
        print_json(proofs) if as_json else print_proofs(proofs, company.settings.time_zone)
    else:
        usage = f"consent {folder} | consent {folder} why TABLE ID"
        raise click.UsageError(
            f"{usage} | consent {folder} record ID --purpose P --grant|--refuse --reason TEXT | proof ID --reason TEXT"
        )


def print_overview(company: Company, overview: ConsentOverview) -> None:
    """Print coverage by purpose, channel and source, the ledger, its latest lines, notices and open requests."""
    labels, zone = company.labels, company.settings.time_zone
    for one in overview.coverage:
        click.echo(f"{labels[f'purpose:{one.purpose}']} ({one.purpose}, {one.basis})")
        rows = [(str(_ALL), one.whole)]
        rows += [(str(labels.get(f"channel:{channel}", channel)), counts) for channel, counts in one.channels.items()]
        print_counts(rows, _COUNTED)
        if one.sources:
            print_counts(list(one.sources.items()), _CHOSEN)
        click.echo("")
    ledger, now = overview.ledger, language()
    checked = write_moment(ledger.checked_ms, now, zone)
    head = f"{ledger.head[:HEAD_LETTERS]}…" if ledger.head else "–"
    lines, erased = write_number(ledger.lines), write_number(ledger.erased)
    told = Words(
        fr=f"Registre : {lines} lignes, dont {erased} effacées ; chaîne {head}, relue le {checked}.",
        en=f"Ledger: {lines} lines, {erased} of them erased; chain {head}, read through {checked}.",
    )
    click.echo(str(told))
    if ledger.proofs:
        count = write_number(ledger.proofs)
        kept = Words(
            fr=f"{count} preuve(s) de consentement de personnes effacées, scellées, pour le cas d'une réclamation "
            "(RGPD, art. 17(3)(e)).",
            en=f"{count} sealed proof(s) of consent of erased people, for claims (GDPR art. 17(3)(e)).",
        )
        click.echo(str(kept))
    for change in overview.changes:
        click.echo(f"  {say_change(change, zone)}")
    for notice in overview.notices:
        shown = f"{notice.notice}@{notice.version}/{notice.language}"
        count = write_number(notice.choices)
        click.echo(str(Words(fr=f"Notice {shown} : {count} choix", en=f"Notice {shown}: {count} choices")))
    for warning in company.know.requests.warnings():
        click.echo(f"! {warning}")


def print_counts(rows: Sequence[tuple[str, Counts]], heading: Words) -> None:
    """Print counts as a table, a share of allowed first."""
    headings = [str(heading), *map(str, _COLUMNS)]
    cells = [[name, *_write_counts(counts)] for name, counts in rows]
    widths = [width_of(headings[place], [row[place] for row in cells]) for place in range(len(headings))]
    for row in (headings, *cells):
        line = "  ".join(align(cell, widths[place], place == 0) for place, cell in enumerate(row))
        click.echo(f"  {line}".rstrip())


def say_change(change: LedgerLine, zone: str) -> str:
    """Say one line of the ledger, under a pseudonym."""
    at = write_moment(change.recorded_ms, language(), zone)
    if change.erased_no is not None:
        line = Words(fr=f"ligne {change.erased_no} effacée", en=f"line {change.erased_no} erased")
        return f"{change.entry_no}  {at}  {line}"
    context = change.context
    source = context.source if context else "–"
    by = f" · {context.actor}" if context and context.actor != "client" else ""
    return f"{change.entry_no}  {at}  {change.principal:016x}  {change.purpose}  {SAID[change.state]}  {source}{by}"


def print_proofs(proofs: Sequence[ChoiceProof], zone: str) -> None:
    """Print every line that proves a choice, with what opens its commitment."""
    for one in proofs:
        made = write_moment(one.made_ms, language(), zone)
        context = one.context
        notice = f"{context.notice}@{context.notice_version}/{context.language}" if context and context.notice else "–"
        sealed = f" ({SEALED})" if one.sealed else ""
        source = context.source if context else "–"
        told = (str(one.entry_no), one.purpose, str(SAID[one.state]), made, source, f"{notice}{sealed}")
        click.echo("  ".join(told))
        if one.evidence:
            click.echo(f"    {one.evidence}")
        click.echo(f"    {one.commitment} = BLAKE2b-256({one.contents}, salt {one.salt})")
    if not proofs:
        click.echo(str(NO_PROOF))


def print_why(company: Company, found: Sequence[Why]) -> None:
    """Print for each purpose whether rows are there, and every gate that events came to."""
    for one in found:
        there = Words(fr="présent", en="there") if one.there else Words(fr="absent", en="not there")
        click.echo(f"{company.labels[f'purpose:{one.purpose}']} / {one.table}{_COLON}{there}. {one.reason}")
        for gate in one.gates:
            mark = "✓" if gate.passed else "✗"
            click.echo(f"  {mark} {gate.gate:<10} {write_number(gate.events):>9}  {gate.reason}")


def _write_counts(counts: Counts) -> list[str]:
    share = "–" if counts.share is None else f"{write_number(100 * counts.share, 1)}\u202f%"
    said = (counts.granted, counts.denied, counts.withdrawn, counts.restricted, counts.expired, counts.silent)
    return [share, write_number(counts.allowed), write_number(counts.n), *map(write_number, said)]


def _say_recorded(identifiers: int, entries: Sequence[int]) -> Words:
    lines = ", ".join(map(str, entries))
    return Words(
        fr=f"Enregistré pour {identifiers} identifiant(s), ligne(s) {lines} du registre, et noté au journal d'audit.",
        en=f"Recorded for {identifiers} identifier(s), line(s) {lines} of the ledger, and noted in the audit log.",
    )


SAID = {
    "granted": Words(fr="accordé", en="granted"),
    "denied": Words(fr="refusé", en="denied"),
    "withdrawn": Words(fr="retiré", en="withdrawn"),
    "erased": Words(fr="effacé", en="erased"),
}
SEALED = Words(fr="scellée, pour une réclamation", en="sealed, for a claim")
NO_PROOF = Words(fr="Rien n'est enregistré de cet identifiant.", en="Nothing is recorded of this identifier.")
_ALL = Words(fr="tous les clients", en="all customers")
_COUNTED = Words(fr="clients", en="customers")
_CHOSEN = Words(fr="choix, par source", en="choices, by source")
_COLON = Words(fr=" : ", en=": ")
_COLUMNS = (
    Words(fr="permis %", en="allowed %"),
    Words(fr="permis", en="allowed"),
    Words(fr="n", en="n"),
    Words(fr="accordé", en="granted"),
    Words(fr="refusé", en="denied"),
    Words(fr="retiré", en="withdrawn"),
    Words(fr="limité", en="restricted"),
    Words(fr="expiré", en="expired"),
    Words(fr="sans choix", en="no choice"),
)
