"""The seven steps on one page, in order: read this file first."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from parcours.blueprint import check_blueprint
from parcours.charts.numbers import write_number
from parcours.collect import LoadReport, check_sources, company_lock, load
from parcours.company import Company
from parcours.errors import Fault
from parcours.measure import MEASURES
from parcours.measure.findings import Finding, find
from parcours.progress import Progress
from parcours.results import RunReport, keep_run
from parcours.settings import read_settings
from parcours.words import LANGUAGES, Words
from parcours.workspaces.report import write_report

REPORT = "report.html"


def check(folder: Path, sample: bool = True) -> list[Fault]:
    """Steps 1 and 2 before anything runs: every fault of the blueprint and the sources, errors first.

    ``sample`` tries the first rows of each file as well; `run` reads what has changed whole.
    """
    blueprint, faults = check_blueprint(folder)
    if blueprint is not None:
        faults = [*faults, *check_sources(folder, blueprint, read_settings(folder), sample)]
    return sorted(faults, key=lambda fault: (fault.level != "error", fault.file or "", fault.line or 0))


def run(company: Company, progress: Progress) -> RunReport:
    """Bring everything up to date: what happened, who it is, what it means, and the page to look at."""
    start = time.monotonic()
    with company_lock(company.folder):
        loaded = collect_files(company, progress)
        customers = company.know.refresh(progress)
        found = measure_all(company, progress)
        progress.begin(Words(fr="Rapport", en="Report"))
        write_report(company, company.folder / REPORT)
        progress.end()
    report = RunReport(
        events=loaded.held,
        quarantined=loaded.counts.quarantined,
        discarded=company.know.discarded,
        customers=customers,
        touchpoints=len(company.blueprint.touchpoints),
        seconds=round(time.monotonic() - start, 2),
        findings=found,
        sources=tuple(msgspec.to_builtins(source) for source in loaded.sources),
        warnings=(*company.know.warnings, *loaded.all_warnings(), *tell_unread(company)),
        report=REPORT,
        finished_ms=int(time.time() * 1000),
    )
    keep_run(company.folder, report)
    return report


def collect_files(company: Company, progress: Progress) -> LoadReport:
    """Step 2, through the door that step 3 holds."""
    return load(company.folder, company.blueprint, company.settings, company.know.door(), progress)


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
