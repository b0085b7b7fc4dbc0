"""`parcours consent`: who allows what, how the ledger stands, why a row is or is not there, and choices told to us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parcours import company as companies
from parcours.blueprint.records import Basis
from parcours.charts.numbers import counted, write_moment
from parcours.cli.output import align, print_json, width_of, write_number
from parcours.company import Company
from parcours.know import LEDGER_COLUMNS, ChoiceProof, ConsentOverview, Counts, Gate, LedgerLine, Recorded, Why
from parcours.words import Words, language

ACTOR = "cli"
ACTIONS = ("show", "why", "record", "proof")
HEAD_LETTERS = 16
CHECK = (
    "commitment == hashlib.blake2b(bytes.fromhex(contents), digest_size=32, salt=bytes.fromhex(salt), "
    'person=b"consent line").hexdigest()'
)
"""How a commitment is made again from what is printed, with nothing of ours."""

GATES: dict[Gate, Words] = {
    "known": Words(fr="connu", en="known"),
    "kept": Words(fr="gardé", en="kept"),
    "stamp": Words(fr="marque", en="stamp"),
    "retention": Words(fr="durée", en="retention"),
    "now": Words(fr="maintenant", en="now"),
    "table": Words(fr="table", en="table"),
}


@click.command("consent")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(ACTIONS), default="show")
@click.argument("words", nargs=-1)
@click.option("--purpose", default=None, help="record: what it is about.")
@click.option("--grant", is_flag=True, help="record: they allow it.")
@click.option("--refuse", is_flag=True, help="record: they refuse it, or withdraw what they had allowed.")
@click.option("--new", is_flag=True, help="record: nobody has this identifier yet; the choice waits for whoever comes.")
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
    grant: bool,
    refuse: bool,
    new: bool,
    reason: str,
    latest: int,
    as_json: bool,
) -> None:
    """Show how much of FOLDER each purpose may see, and how its ledger stands.

    why TABLE ID: why rows of that customer are in a derived table (touches, answers, operations, customers, or
    PURPOSE/TABLE), or are not. record ID --purpose P --grant|--refuse --reason TEXT: record what a customer told us
    (with --new, one who has not come yet). proof ID --reason TEXT: prove what somebody chose, though they were erased
    since.
    """
    company = companies.open(folder)
    if action == "show" and not words:
        overview = company.know.consents.overview(latest)
        print_json(overview) if as_json else print_overview(company, overview)
    elif action == "why" and len(words) == 2:
        found = company.know.explain_row(words[0], words[1])
        print_json(found) if as_json else print_why(company, found)
    elif action == "record" and len(words) == 1 and purpose is not None and grant is not refuse:
        done = company.know.consents.record(words[0], purpose, grant, ACTOR, reason, new)
        verdict = company.know.may(words[0], purpose)
        if as_json:
            print_json({"recorded": done, "allowed": verdict.allowed, "why": verdict.reason})
            return
        click.echo(str(_say_recorded(done)))
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
        click.echo(f"{labels[f'purpose:{one.purpose}']} ({one.purpose}, {BASES[one.basis]})")
        rows = [(str(_ALL), one.whole)]
        rows += [(str(labels.get(f"channel:{channel}", channel)), counts) for channel, counts in one.channels.items()]
        print_counts(rows, _COUNTED)
        if one.sources:
            print_counts(list(one.sources.items()), _CHOSEN)
        click.echo("")
    ledger, now = overview.ledger, language()
    checked = write_moment(ledger.checked_ms, now, zone)
    head = f"{ledger.head[:HEAD_LETTERS]}…" if ledger.head else "–"
    lines = counted(ledger.lines, Words(fr="{count} ligne", en="{count} line"), LINES)
    gone = counted(ledger.erased, Words(fr="{count} effacée", en="{count}"), Words(fr="{count} effacées", en="{count}"))
    told = Words(
        fr=f"Registre\u00a0: {lines.fr}, dont {gone.fr}\u00a0; chaîne {head}, relue le {checked}.",
        en=f"Ledger: {lines.en}, {gone.en} of them erased; chain {head}, read through {checked}.",
    )
    click.echo(str(told))
    if ledger.proofs:
        kept = counted(
            ledger.proofs,
            Words(
                fr="{count} preuve de consentement d'une personne effacée, scellée, pour le cas d'une réclamation "
                "(RGPD, art. 17(3)(e)).",
                en="{count} sealed proof of consent of an erased person, for claims (GDPR art. 17(3)(e)).",
            ),
            Words(
                fr="{count} preuves de consentement de personnes effacées, scellées, pour le cas d'une réclamation "
                "(RGPD, art. 17(3)(e)).",
                en="{count} sealed proofs of consent of erased people, for claims (GDPR art. 17(3)(e)).",
            ),
        )
        click.echo(str(kept))
    for change in overview.changes:
        click.echo(f"  {say_change(change, zone)}")
    for notice in overview.notices:
        shown = f"{notice.notice}@{notice.version}/{notice.language}"
        choice = Words(fr=f"Notice {shown}\u00a0: {{count}} choix", en=f"Notice {shown}: {{count}} choice")
        choices = Words(fr=choice.fr, en=f"{choice.en}s")
        click.echo(str(counted(notice.choices, choice, choices)))
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
        click.echo(f"    commitment {one.commitment}")
        click.echo(f"    contents {one.contents}")
        click.echo(f"    salt {one.salt}")
    click.echo(str(RECIPE if proofs else NO_PROOF))


def print_why(company: Company, found: Sequence[Why]) -> None:
    """Print for each purpose whether rows are there, and every gate that events came to."""
    for one in found:
        there = Words(fr="présent", en="there") if one.there else Words(fr="absent", en="not there")
        click.echo(f"{company.labels[f'purpose:{one.purpose}']} / {one.table}{_COLON}{there}. {one.reason}")
        for gate in one.gates:
            mark = "✓" if gate.passed else "✗" if gate.reached else "·"
            events = write_number(gate.events) if gate.reached else "–"
            name = GATES[gate.gate] if gate.passed or gate.gate != "known" else NOT_KNOWN
            click.echo(f"  {mark} {name!s:<10} {events:>9}  {gate.reason}")


def _write_counts(counts: Counts) -> list[str]:
    share = "–" if counts.share is None else f"{write_number(100 * counts.share, 1)}\u202f%"
    said = (counts.granted, counts.denied, counts.withdrawn, counts.restricted, counts.expired, counts.silent)
    return [share, write_number(counts.allowed), write_number(counts.n), *map(write_number, said)]


def _say_recorded(done: Recorded) -> Words:
    lines = ", ".join(map(str, done.entries))
    french, english = ("ligne", "line") if len(done.entries) == 1 else ("lignes", "lines")
    return counted(
        done.identifiers,
        Words(
            fr=f"Enregistré pour {{count}} identifiant, {french} {lines} du registre, et noté au journal d'audit.",
            en=f"Recorded for {{count}} identifier, {english} {lines} of the ledger, and noted in the audit log.",
        ),
        Words(
            fr=f"Enregistré pour {{count}} identifiants, {french} {lines} du registre, et noté au journal d'audit.",
            en=f"Recorded for {{count}} identifiers, {english} {lines} of the ledger, and noted in the audit log.",
        ),
    )


SAID = {
    "granted": Words(fr="accordé", en="granted"),
    "denied": Words(fr="refusé", en="denied"),
    "withdrawn": Words(fr="retiré", en="withdrawn"),
    "erased": Words(fr="effacé", en="erased"),
}
LINES = Words(fr="{count} lignes", en="{count} lines")
SEALED = Words(fr="scellée, pour une réclamation", en="sealed, for a claim")
RECIPE = Words(
    fr="Pour vérifier (RFC 7693, sans clé ; ici en Python, avec import hashlib) :\n"
    f"  {CHECK}\n"
    "contents : dix entiers signés de huit octets, petit-boutistes, dans cet ordre :\n"
    f"  {', '.join(LEDGER_COLUMNS)}",
    en="To check it (RFC 7693, without a key; here in Python, with import hashlib):\n"
    f"  {CHECK}\n"
    "contents: ten signed whole numbers of eight bytes, little-endian, in this order:\n"
    f"  {', '.join(LEDGER_COLUMNS)}",
)
NO_PROOF = Words(fr="Rien n'est enregistré de cet identifiant.", en="Nothing is recorded of this identifier.")
NOT_KNOWN = Words(fr="inconnu", en="not known")
_ALL = Words(fr="tous les clients", en="all customers")
_COUNTED = Words(fr="clients", en="customers")
_CHOSEN = Words(fr="choix, par source", en="choices, by source")
BASES: dict[Basis, Words] = {
    "consent": Words(fr="consentement", en="consent"),
    "contract": Words(fr="contrat", en="contract"),
    "legal_obligation": Words(fr="obligation légale", en="legal obligation"),
    "vital_interest": Words(fr="intérêt vital", en="vital interest"),
    "public_task": Words(fr="mission d'intérêt public", en="public task"),
    "legitimate_interest": Words(fr="intérêt légitime", en="legitimate interest"),
}
_COLON = Words(fr="\u00a0: ", en=": ")
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
