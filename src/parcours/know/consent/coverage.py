"""Coverage: of how many customers each purpose may see anything at this moment, in all, by channel and by source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.blueprint.records import Basis, Blueprint
from parcours.engine.store.parts import Part, verified
from parcours.know.consent.contexts import Contexts
from parcours.know.consent.ledger import Ledger
from parcours.know.consent.lines import CHOICE, CONTEXT, GRANTED, MADE, PRINCIPAL, WITHDRAWN
from parcours.know.gate.versions import Numbered
from parcours.know.identity.people import People
from parcours.know.mapping import meet
from parcours.know.pseudonyms import Numbers

State = Literal["granted", "denied", "withdrawn", "expired", "silent", "restricted"]
STATES: tuple[State, ...] = ("silent", "granted", "expired", "denied", "withdrawn", "restricted")
"""What customers have said, the strictest last: of several choices of one person that one counts.

Whoever asked that their data be used for nothing (GDPR art. 18), or whose objection is being weighed, is
``restricted``, whatever they had chosen before.
"""

UNKNOWN = "?"
"""The source of a choice of which the ledger does not say where it came from: it is older than that column."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many of ``n`` customers a purpose may see, and how many have said what: the states add up to ``n``.

    Every one of them is counted, so that there is no interval. A purpose that rests on consent may see those who
    ``granted`` it; any other one sees whoever is ``silent`` as well.
    """

    n: int
    allowed: int
    granted: int = 0
    denied: int = 0
    withdrawn: int = 0
    expired: int = 0
    silent: int = 0
    restricted: int = 0

    @property
    def share(self) -> float | None:
        """The share that the purpose may see; nothing of nobody."""
        return self.allowed / self.n if self.n else None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose: all customers of whom an event is kept, those met on each channel, and choices by source.

    ``sources`` count the choices that stand, one an identifier, by the source that told of each; a restriction is none.
    """

    purpose: str
    basis: Basis
    whole: Counts
    channels: dict[str, Counts]
    sources: dict[str, Counts]


class Chosen(msgspec.Struct, frozen=True):
    """The ledger's lines that count for a purpose, one an identifier, and what each says now: places in `STATES`."""

    lines: Numbers
    state: npt.NDArray[np.int8]


class Met(msgspec.Struct, frozen=True):
    """Which customers have an event, and on which channels each was met: bits by the channel's place."""

    pseudonyms: Numbers
    channels: Numbers


def read_met(folder: Path, blueprint: Blueprint, parts: Sequence[Part]) -> Met:
    """Return who is on the events of ``parts``, and on which channels.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    place = {channel.id: number for number, channel in enumerate(blueprint.channels)}
    bits = np.array([*(1 << place[one.channel] for one in blueprint.touchpoints), 0], np.int64)
    wanted = {field for match in blueprint.matches() for field in match.where}
    subjects, channels = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for path in verified(folder, tuple(parts)):
        held = pq.read_schema(path).names
        fields = [name for field in sorted(wanted) if (name := f"field_{field}") in held]
        rows = pq.read_table(path, columns=["subject", "name", "occurred_ms", *fields])
        rows = rows.filter(pa.compute.is_valid(rows.column("subject")))
        named = np.ones(rows.num_rows, bool)
        found = bits[meet(blueprint, rows, named)] if rows.num_rows else np.empty(0, np.int64)
        one, seen = _unite(np.asarray(rows.column("subject")), found)
        subjects.append(one)
        channels.append(seen)
    return Met(*_unite(np.concatenate(subjects), np.concatenate(channels)))


def write_met(met: Met, draft: Path) -> None:
    """Keep what `read_met` found."""
    pq.write_table(pa.table({"pseudonym": met.pseudonyms, "channels": met.channels}), draft / "met.parquet")


def recall_met(place: Path) -> Met:
    """Return what `write_met` kept."""
    table = pq.read_table(place / "met.parquet")
    return Met(np.asarray(table.column("pseudonym")), np.asarray(table.column("channels")))


def count_coverage(
    purpose: str,
    basis: Basis,
    channels: Sequence[str],
    people: People,
    met: Met,
    allowed: npt.NDArray[np.bool_],
    restricted: npt.NDArray[np.bool_],
    chosen: Chosen,
    contexts: Contexts,
) -> Coverage:
    """Count one purpose.

    Args:
        purpose, basis: Which.
        channels: The channels by the bits in ``met``.
        people: Who is who.
        met: Who was met where.
        allowed: By person, whether the purpose may see them now.
        restricted: By person, whether their data are not used because they asked so.
        chosen: The choices that stand.
        contexts: What lines have in common.
    """
    lines, state = chosen.lines, chosen.state
    said = _strictest(people, lines[:, PRINCIPAL], state)
    said[restricted] = STATES.index("restricted")
    seen, present = _spread(people, met)
    used, which = np.unique(lines[:, CONTEXT], return_inverse=True)
    told = [context.source if (context := contexts.find(number)) else UNKNOWN for number in used.tolist()]
    sources = np.array([*told, UNKNOWN], dtype=object)[which]
    return Coverage(
        purpose=purpose,
        basis=basis,
        whole=_count(said[present], allowed[present]),
        channels={
            channel: _count(said[met_there], allowed[met_there])
            for number, channel in enumerate(channels)
            if (met_there := seen >> number & 1 == 1).any()
        },
        sources={
            source: _count(state[sources == source], state[sources == source] == STATES.index("granted"))
            for source in sorted(set(told))
        },
    )


def read_chosen(ledger: Ledger, purpose: Numbered) -> Chosen:
    """Return the choices that stand about a purpose: those about it as it is, else refusals of what it was before."""
    lines = [ledger.lines_of(purpose.number)]
    states = [read_states(lines[0], ledger.expires_before_ms(purpose.number))]
    for number in purpose.before:
        older = ledger.lines_of(number)
        state = read_states(older, ledger.expires_before_ms(number))
        told = np.isin(older[:, PRINCIPAL], np.concatenate([one[:, PRINCIPAL] for one in lines]))
        counts = ~told & (state != STATES.index("granted"))
        lines.append(older[counts])
        states.append(state[counts])
    return Chosen(np.concatenate(lines), np.concatenate(states))


def read_states(lines: Numbers, since_ms: int) -> npt.NDArray[np.int8]:
    """Return what each of the lines that count says now, as its place in `STATES`."""
    granted = lines[:, CHOICE] == GRANTED
    codes = np.where(lines[:, CHOICE] == WITHDRAWN, STATES.index("withdrawn"), STATES.index("denied"))
    codes = np.where(granted, STATES.index("granted"), codes)
    return np.where(granted & (lines[:, MADE] < since_ms), STATES.index("expired"), codes).astype(np.int8)


def _spread(people: People, met: Met) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Return by person the channels where they were met, and of whom there is an event at all."""
    known = np.isin(met.pseudonyms, people.pseudonyms)
    person = people.person[np.searchsorted(people.pseudonyms, met.pseudonyms[known])]
    seen, present = np.zeros(people.count, np.int64), np.zeros(people.count, bool)
    np.bitwise_or.at(seen, person, met.channels[known])
    present[person] = True
    return seen, present


def _strictest(people: People, principals: Numbers, state: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return the strictest state among the identifiers of each person."""
    said = np.zeros(people.count, np.int8)
    if len(people.pseudonyms):
        places = np.minimum(np.searchsorted(people.pseudonyms, principals), len(people.pseudonyms) - 1)
        known = people.pseudonyms[places] == principals
        np.maximum.at(said, people.person[places[known]], state[known])
    return said


def _count(said: npt.NDArray[np.int8], allowed: npt.NDArray[np.bool_]) -> Counts:
    times = np.bincount(said, minlength=len(STATES)).tolist()
    return Counts(n=len(said), allowed=int(allowed.sum()), **dict(zip(STATES, times, strict=True)))


def _unite(subjects: Numbers, channels: Numbers) -> tuple[Numbers, Numbers]:
    """Return each subject once, ascending, with all its channels."""
    order = np.argsort(subjects, kind="stable")
    distinct, starts = np.unique(subjects[order], return_index=True)
    united = np.bitwise_or.reduceat(channels[order], starts) if len(distinct) else np.empty(0, np.int64)
    return distinct, united
