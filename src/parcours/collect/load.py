"""Loading: every source of a company, all faults first, then one after the other, each whole or not at all."""

from __future__ import annotations

import time
from pathlib import Path

from parcours.blueprint.records import Blueprint
from parcours.collect.door import Door
from parcours.collect.inspection import inspect_files
from parcours.collect.intake import Intake
from parcours.collect.reading import SURVEY_PAGES, read_sources
from parcours.collect.report import LoadReport
from parcours.engine.store.lock import company_lock
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.retiring import remove_retired, sweep
from parcours.errors import ParcoursError
from parcours.progress import Progress, Silent
from parcours.settings import Settings
from parcours.words import Words


def load(
    folder: Path, blueprint: Blueprint, settings: Settings, door: Door, progress: Progress | None = None
) -> LoadReport:
    """Load what is new or changed in the files of every source.

    Args:
        folder: The company folder.
        blueprint: What is declared.
        settings: The company's settings.
        door: What raw events go through.
        progress: Hears of the bytes that are read.

    Raises:
        ParcoursError: every fault of every source at once, before anything is loaded; ``already_running``;
            ``most_rows_unreadable``, ``disk_full``, ``file_unreadable`` or ``file_changed`` for the source at hand,
            whose previous state then holds, while the sources before it stay loaded.
    """
    progress = progress or Silent()
    sources = read_sources(folder, blueprint, settings)
    plans, faults = inspect_files(sources, folder, settings)
    errors = [fault for fault in faults if fault.level == "error"]
    if errors:
        raise ParcoursError.of(errors)
    now_ms = time.time_ns() // 1_000_000
    with company_lock(folder):
        manifest = Manifest(folder)
        try:
            sweep(folder, manifest)
            cut_short = manifest.cut_short()
            if cut_short is not None:
                door.forget_from(cut_short)
            reports = []
            # Choices first: the door stamps each event with what is allowed when it comes in.
            for plan in sorted(plans, key=lambda plan: not plan.source.tells_choices):
                total = sum(file.path.stat().st_size for file in plan.files)
                name = plan.source.source
                progress.begin(Words(f"Lecture de {name}", f"Reading {name}"), total)
                intake = Intake(plan, blueprint, settings.time_zone, door, manifest, progress, now_ms)
                reports.append(intake.run())
                progress.end()
            remove_retired(folder, manifest)
            by_file = {plan.source.source for plan in plans}
            others = _held_by_others(manifest, by_file)
        finally:
            manifest.close()
    described = {source.source.source for source in sources} | {SURVEY_PAGES}
    gone = {name: events for name, events in others.items() if name not in described}
    warnings = [fault.sentence for fault in faults] + [_source_gone(*one) for one in gone.items()]
    return LoadReport(tuple(reports), tuple(warnings), sum(others.values()))


def _held_by_others(manifest: Manifest, by_file: set[str]) -> dict[str, int]:
    """Return how many events stand of each source that has no file: those that deliver, and those long forgotten."""
    held: dict[str, int] = {}
    for part in manifest.parts():
        if part.source not in by_file:
            held[part.source] = held.get(part.source, 0) + part.rows
    return dict(sorted(held.items()))


def _source_gone(name: str, events: int) -> Words:
    return Words(
        f"La source « {name} » n'est plus décrite : ses {events} événement(s) sont gardés et comptent toujours. Aucune "
        "commande ne les retire ; pour le faire, remettez sa description avec, à chaque événement, un when: que nulle "
        "ligne ne remplit, relancez, puis ôtez-la.",
        f"The source “{name}” is no longer described: its {events} event(s) are kept and still count. No command takes "
        "them out; to do so, put its description back with a when: that no row meets on each event, run again, then "
        "take it away.",
    )
