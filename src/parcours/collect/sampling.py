"""What the first rows of a file tell before anything is loaded: dates and numbers that do not read as described."""

from __future__ import annotations

import time

import numpy as np

from parcours.blueprint.records import Blueprint
from parcours.collect.conditions import Unmet
from parcours.collect.formats import open_rows
from parcours.collect.inspection import Plan, SourceFile, wanted_columns
from parcours.collect.lookup import open_lookup
from parcours.collect.majority import Blame, find_majority
from parcours.collect.mapping import Mapping
from parcours.collect.rows import RawRows
from parcours.errors import Fault
from parcours.settings import Settings
from parcours.words import Words

SAMPLE_ROWS = 1_000


def sample_files(plan: Plan, blueprint: Blueprint, settings: Settings) -> list[Fault]:
    """Return what the first rows of the files of a source say against its description.

    Raises:
        ParcoursError: ``file_unreadable``.
    """
    joined = open_lookup(plan.source.lookup, plan.lookup)
    mapping = Mapping(plan.source, blueprint, settings.time_zone, joined, time.time_ns() // 1_000_000)
    faults: list[Fault] = []
    unmet, tried = Unmet(), 0
    for file in plan.files:
        raw = None if file.empty else _first_rows(plan, file)
        if raw is not None and raw.count:
            faults += _look(plan, file, mapping, raw, unmet)
            tried = max(tried, raw.count)
    return faults + unmet.faults(plan.source, plan.node, SAMPLE_ROWS if tried == SAMPLE_ROWS else None)


def _first_rows(plan: Plan, file: SourceFile) -> RawRows | None:
    rows = open_rows(file.path, file.format, plan.source.csv, tuple(plan.source.columns()))
    raw = next(iter(rows.batches(wanted_columns(plan, rows))), None)
    return raw and raw.pick(np.arange(min(raw.count, SAMPLE_ROWS)))


def _look(plan: Plan, file: SourceFile, mapping: Mapping, raw: RawRows, unmet: Unmet) -> list[Fault]:
    mapped = mapping.map_rows(raw, np.zeros(raw.count, np.int64))
    unmet.note(mapped.met)
    reasons: dict[Words, int] = {}
    for _, reason in mapped.faults.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    blames: dict[Words, Blame] = mapped.blames
    fault = find_majority(plan.source, plan.node, file.name, raw.count, reasons, blames)
    return [fault] if fault else []
