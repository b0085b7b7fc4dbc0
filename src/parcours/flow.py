"""The seven steps on one page, in order: read this file first."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from parcours.blueprint import check_blueprint
from parcours.charts.numbers import write_number
from parcours.collect import (
    Compacted,
    LoadReport,
    check_destinations,
    check_sources,
    compact,
    company_lock,
    expire,
)
from parcours.collect.load import load
from parcours.collect.replay import PutBack
from parcours.company import Company
from parcours.errors import Fault, ParcoursError
from parcours.know import NOBODY_THERE, Dossier, ErasureReceipt, Preview, Scope, around_erasure
from parcours.measure import MEASURES
from parcours.measure.findings import Finding, find
from parcours.progress import Progress, Silent
from parcours.results import RunReport, keep_run
from parcours.settings import read_settings
from parcours.words import LANGUAGES, Words
from parcours.workspaces.report import write_report

REPORT = "report.html"
Answer = TypeVar("Answer")
MOST_NAMES = 8
"""Undeclared names that are listed; there may be hundreds."""

PATIENCE_S = 30.0
"""How long to wait for another command that holds the company: `serve` does so for moments only."""


def check(folder: Path, sample: bool = True) -> list[Fault]:
    """Steps 1 and 2 before anything runs: every fault of the blueprint and the sources, errors first.

    ``sample`` tries the first rows of each file as well; `run` reads what has changed whole.
    """
    blueprint, faults = check_blueprint(folder)
    if blueprint is not None:
        settings = read_settings(folder)
        faults = [
            *faults,
            *check_sources(folder, blueprint, settings, sample),
            *check_destinations(folder, blueprint),
        ]
    return sorted(faults, key=lambda fault: (fault.level != "error", fault.file or "", fault.line or 0))


def run(company: Company, progress: Progress) -> RunReport:
    """Bring everything up to date: what happened, who it is, what it means, and the page to look at."""
    start = time.monotonic()
    with company_lock(company.folder, PATIENCE_S):
        loaded = collect_files(company, progress)
        collect_live(company)
        expire(company.folder, company.settings)
        company.know.upkeep.retain()
        report = publish(company, start, loaded, progress)
        progress.begin(Words(fr="Rapport", en="Report"))
        write_report(company, company.folder / REPORT)
        progress.end()
    return report


def collect_files(company: Company, progress: Progress) -> LoadReport:
    """Step 2, from files, through the door that step 3 holds."""
    return load(company.folder, company.blueprint, company.settings, company.know.door(), progress)


def collect_live(
    company: Company,
    stopping: Callable[[], bool] = lambda: False,
    told: Collection[int] | None = None,
    resting_ms: int = 0,
) -> Compacted:
    """Step 2, from what was delivered to the journal, through the same door; tell of the batches in ``told``."""
    declared = company.blueprint, company.settings, company.know.door(), company.delivering, company.destinations
    return compact(company.folder, *declared, stopping, told, resting_ms)


def replay(company: Company, source: str | None = None, code: str | None = None) -> tuple[PutBack, Compacted]:
    """Put quarantined events back and take them over at once; return which, and what became of them."""
    with company_lock(company.folder, PATIENCE_S):
        collect_live(company)
        done = company.put_back(source, code)
        return done, collect_live(company, told=set(done.batches))


def forget(
    company: Company, identifier: str, actor: str, progress: Progress | None = None, request_no: int = 0
) -> ErasureReceipt:
    """Erase whoever has ``identifier``: at once nothing shows them, and at the end that nothing is left is proved.

    Raises:
        ParcoursError: ``nobody_found``, ``device_shared``, ``several_found``, ``erasure_not_proved`` …
    """
    return finish_erasure(company, begin_erasure(company, identifier, actor, request_no), actor, progress)


def begin_erasure(company: Company, identifier: str, actor: str, request_no: int = 0) -> int:
    """Do the first step of `forget` alone, which nothing holds up; return the erasure's number."""
    number = _also_of_late(company, lambda: company.know.rights.begin(identifier, actor, request_no))
    company.know.audit.note(actor, "run_erasure", "erasure", number, "done", "begun")
    return number


def enter_erasure_request(company: Company, identifier: str, actor: str, channel: str) -> int:
    """Enter that whoever has ``identifier`` asks to be erased, unless that is entered and open; return its number."""
    requests = company.know.requests
    for request in requests.list_requests():
        if request.is_open and request.kind == "erasure" and requests.identifiers_of(request.number) == (identifier,):
            return request.number
    return requests.open("erasure", [identifier], actor, channel)


def preview_erasure(company: Company, identifier: str, actor: str, reason: str | None = None) -> Preview:
    """Return what `forget` would do, and do nothing of it; what waits is taken over first, for it may name more.

    Identifiers are masked unless there is a ``reason`` to see them; the look is in the audit log.
    """
    with company_lock(company.folder, PATIENCE_S):
        collect_live(company)
    know = company.know
    told = know.rights.preview(identifier, company.destinations, unmasked=reason is not None)
    know.audit.note(actor, "see_customer", "profile", told.profile, "done", "before an erasure")
    if reason is not None:
        know.audit.note(actor, "unmask", "profile", told.profile, "done", reason)
    return told


def preview_answer(company: Company, number: int, actor: str) -> tuple[Preview, ...]:
    """Return what `answer_erasure` would do to each person whom the request ``number`` names; errors as there."""
    requests = company.know.requests
    requests.expect_checked(number, "erasure")
    found: dict[str, Preview] = {}
    for identifier in requests.identifiers_of(number):
        try:
            preview = preview_erasure(company, identifier, actor)
        except ParcoursError as error:
            if error.code not in (*NOBODY_THERE, "erasure_unfinished"):
                raise
        else:
            found[preview.profile] = preview
    return tuple(found.values())


def answer_erasure(company: Company, number: int, actor: str) -> tuple[ErasureReceipt, ...]:
    """Erase whoever the request ``number`` names, one after the other where its identifiers are several people's.

    Where nobody is known by any of them the request is answered, and there is no receipt.

    Raises:
        ParcoursError: ``unknown_request``, ``request_closed``, ``another_request``, ``identity_unchecked``,
            ``erasure_not_proved`` …
    """
    requests = company.know.requests
    requests.expect_checked(number, "erasure")
    begun: list[int] = []
    for identifier in requests.identifiers_of(number):
        try:
            begun.append(begin_erasure(company, identifier, actor, number))
        except ParcoursError as error:
            if error.code not in NOBODY_THERE:
                raise
    if not begun:
        company.know.audit.note(actor, "decide_request", "request", number, "done", "nobody is known")
        requests.close(number, "done", actor, "nobody is known")
    return tuple(finish_erasure(company, one, actor) for one in dict.fromkeys(begun))


def answer_access(company: Company, number: int, actor: str) -> Dossier:
    """Return the dossier of whoever the request ``number`` names, for access or portability.

    Raises:
        ParcoursError: ``nobody_found``; ``another_person`` when its identifiers are several people's …
    """
    requests = company.know.requests
    kind = requests.find(number).kind
    scope: Scope = "portability" if kind == "portability" else "access"
    requests.expect_checked(number, scope)
    with company_lock(company.folder, PATIENCE_S):
        collect_live(company)
    return compile_dossier(company, company.know.rights.find_named(number), scope, actor, number)


def answer_rectification(company: Company, number: int, field: str, value: str, actor: str) -> None:
    """Put a personal value right of whoever the request ``number`` names; errors as in `rectify`."""
    company.know.requests.expect(number, "rectification")
    with company_lock(company.folder, PATIENCE_S):
        collect_live(company)
    rectify(company, company.know.rights.find_named(number), field, value, actor, number)


def _also_of_late(company: Company, ask: Callable[[], Answer]) -> Answer:
    """Return what ``ask`` does; whoever came a moment ago and stands in no part yet is taken over first."""
    try:
        return ask()
    except ParcoursError as error:
        if error.code != "nobody_found":
            raise
    with company_lock(company.folder, PATIENCE_S):
        collect_live(company)
    return ask()


def compile_dossier(company: Company, identifier: str, scope: Scope, actor: str, request_no: int = 0) -> Dossier:
    """Return all that is held of one person, or what they provided, for them; what waits is taken over first.

    Raises:
        ParcoursError: ``nobody_found``, ``device_shared``, ``several_found``, and where it answers a request as
            `Rights.expect` …
    """
    with company_lock(company.folder, PATIENCE_S):
        collect_live(company)
    know = company.know
    if request_no:
        know.rights.expect(request_no, scope, identifier)
    # Not the profile that the dossier tells: what somebody takes along has none.
    profile = int(know.rights.find(identifier).profile_ids[0])
    know.audit.note(actor, "see_customer", "profile", profile, "done", scope)
    allowed = {purpose.id: bool(know.may(identifier, purpose.id)) for purpose in company.blueprint.purposes}
    dossier = know.rights.compile(identifier, scope, allowed, company.destinations)
    if request_no:
        know.requests.close(request_no, "done", actor)
    return dossier


def restrict(company: Company, identifier: str, actor: str, ground: str, request_no: int = 0) -> int:
    """Keep what is known of one person and use it for nothing, and tell recipients; return the request's number.

    Raises:
        ParcoursError: ``nobody_found``, ``ground_missing``, ``several_found`` …
    """
    know = company.know
    number = _also_of_late(company, lambda: know.restricting.restrict(identifier, actor, ground, request_no))
    know.rights.tell_recipients("restriction", number, identifier, company.destinations)
    return number


def object_to(company: Company, identifier: str, purpose: str, actor: str, ground: str, request_no: int = 0) -> int:
    """Note that one person objects to a purpose (see `Restricting.object_to`); return the request's number."""
    know = company.know
    return _also_of_late(company, lambda: know.restricting.object_to(identifier, purpose, actor, ground, request_no))


def rectify(company: Company, identifier: str, field: str, value: str, actor: str, request_no: int = 0) -> int:
    """Put a personal value of one person right, and tell recipients; return the request's number.

    Raises:
        ParcoursError: ``not_rectifiable``, ``value_unusable``, ``nobody_found`` …
    """
    know = company.know
    number, _ = _also_of_late(company, lambda: know.rectifying.rectify(identifier, field, value, actor, request_no))
    know.rights.tell_recipients("rectification", number, identifier, company.destinations, {field: value})
    return number


def finish_erasure(company: Company, number: int, actor: str, progress: Progress | None = None) -> ErasureReceipt:
    """Do the rest of `forget`; what was cut short goes on from where it was."""

    def measure_anew() -> None:
        if company.report is not None:
            publish(company, time.monotonic())
            if (company.folder / REPORT).exists():
                write_report(company, company.folder / REPORT)

    around = around_erasure(lambda: collect_live(company), measure_anew, company.destinations)
    receipt = company.know.rights.carry_out(number, around, actor, progress or Silent())
    company.know.audit.note(actor, "prove_erasure", "erasure", number, "done", "proved")
    return receipt


def publish(
    company: Company, start: float, loaded: LoadReport | None = None, progress: Progress | None = None
) -> RunReport:
    """Steps 3 and 4: who it is and what it means, as everything stands now; what the pages then show.

    Without ``loaded`` no file was read, and what the latest run said of files still holds.
    """
    progress = progress or Silent()
    before = company.report if loaded is None else None
    customers = company.know.refresh(progress)
    found = measure_all(company, progress)
    # Tables of a purpose that no measure asks for by itself follow as well: a withdrawal must leave them too.
    company.know.refresh_derived()
    for purpose in company.blueprint.purposes_for("timeline")[:1]:
        company.know.refresh_profiles(purpose.id)
    warnings = loaded.all_warnings() if loaded else ()
    report = RunReport(
        events=company.know.held,
        quarantined=company.know.quarantined,
        discarded=company.know.discarded,
        customers=customers,
        touchpoints=len(company.blueprint.touchpoints),
        seconds=round(time.monotonic() - start, 2),
        findings=found,
        sources=tuple(msgspec.to_builtins(source) for source in loaded.sources)
        if loaded
        else (before.sources if before else ()),
        masked=sum_masked(company),
        warnings=(*company.know.warnings, *warnings, *tell_unread(company), *tell_undeclared(company)),
        report=REPORT,
        finished_ms=int(time.time() * 1000),
    )
    keep_run(company.folder, report)
    return report


def measure_all(company: Company, progress: Progress) -> tuple[Finding, ...]:
    """Step 4: every measure that some purpose covers, then what they say in sentences."""
    covered = [measure for measure in MEASURES if company.blueprint.purposes_for(measure.name)]
    if not company.know.is_loaded:
        return ()
    progress.begin(Words(fr="Mesures", en="Measures"), len(covered))
    answers = {}
    for measure in covered:
        answers[measure.name] = company.result(measure.name)
        progress.advance()
    progress.end()
    money = company.blueprint.money
    return find(answers, company.labels, money.currency if money else "EUR")


def publish_groups(company: Company) -> None:
    """Make what roles that see groups alone are shown today, unless it is made, so that none of them waits for it."""
    for measure in MEASURES if company.know.is_loaded else ():
        if measure.counted and company.blueprint.purposes_for(measure.name):
            company.published(measure.name)


def sum_masked(company: Company) -> dict[str, int]:
    """Return what was masked in texts over the last seven days, by kind."""
    total: dict[str, int] = {}
    for day in company.masked():
        for kind, count in day.counts.items():
            total[kind] = total.get(kind, 0) + count
    return total


def tell_undeclared(company: Company) -> Iterator[Words]:
    """Say which names live sources sent lately that nobody declared: they were dropped at the door."""
    for source, counts in sorted(company.know.upkeep.undeclared().items()):
        names = sorted(counts, key=lambda name: (-counts[name], name))
        listed = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
        yield Words(
            fr=f"La source « {source} » envoie {len(names)} nom(s) que le blueprint ne déclare pas, écartés à la "
            f"porte : {listed}.",
            en=f"The source “{source}” sends {len(names)} name(s) that the blueprint does not declare, dropped at the "
            f"door: {listed}.",
        )


def tell_unread(company: Company) -> tuple[Words, ...]:
    """Say what is not read and why: no purpose, events without a basis, and what each purpose in use leaves out."""
    told = []
    if not company.blueprint.purposes:
        told.append(NO_PURPOSE)
    if discarded := company.know.discarded:
        count = {language: write_number(discarded, language) for language in LANGUAGES}
        told.append(
            Words(
                fr=f"{count['fr']} événements n'ont de base légale pour aucune finalité : comptés, puis écartés. "
                "Déclarez sous purposes la finalité qui convient, ou lisez les accords des clients dans la source "
                "(consent).",
                en=f"{count['en']} events have no legal basis for any purpose: counted, then discarded. "
                "Declare the right purpose under purposes, or read the customers' choices in the source (consent).",
            )
        )
    used = {covering[0].id for measure in MEASURES if (covering := company.blueprint.purposes_for(measure.name))}
    told += [warning for purpose in sorted(used) for warning in company.know.events_for(purpose).warnings]
    return tuple(dict.fromkeys(told))


NO_PURPOSE = Words(
    fr="Le blueprint ne déclare aucune finalité : aucune ligne n'est lue, et rien n'est mesuré. "
    "Ajoutez sous purposes une finalité, sa base légale et les mesures qu'elle couvre.",
    en="The blueprint declares no purpose: no row is read, and nothing is measured. "
    "Add under purposes a purpose, its legal basis and the measures it covers.",
)
