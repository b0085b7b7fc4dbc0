"""Online profiles: what a purpose may know of each identifier, found by binary search and brought up to this second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint
from parcours.engine.store.parts import Part, verified
from parcours.know.mapping import ABSENT, meet
from parcours.know.pseudonyms import Numbers

AS_OF = "as_of.json"
_MERGED_ROWS = 1_000_000
_COLUMNS = ("subject", "events", "first_ms", "last_ms", "touchpoint", "touchpoint_ms")


class Profile(msgspec.Struct, frozen=True):
    """What is known of one customer at this moment.

    Attributes:
        purpose: Under which it was read.
        permitted: Whether the purpose may see this customer now; nothing is told otherwise.
        events: How many events there are, those of the last seconds included.
        first_ms, last_ms: When the first and the last occurred.
        touchpoint: Where the customer last met the company, and when that was.
        waiting: How many of the events were accepted and do not stand in parts yet.
        lag_ms: How long the latest accepted events waited before they counted here.
    """

    purpose: str
    permitted: bool
    events: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    touchpoint: str | None = None
    touchpoint_ms: int | None = None
    waiting: int = 0
    lag_ms: int = 0


class AsOf(msgspec.Struct, frozen=True):
    """What kept profiles rest on; whoever finds anything but ``event_no`` changed reads the parts instead.

    Attributes:
        event_no: The events before this number are in them.
        withdrawals: How often rows had been taken out of force by then.
        since_ms: The first moment that the purpose's retention covered.
        written: The blueprint, as a digest: touchpoints are told by their places in it.
    """

    event_no: int
    withdrawals: int
    since_ms: int
    written: str


class Profiles:
    """The kept profiles of one purpose, by subject, whether it may be seen or not: that is asked when it is read."""

    def __init__(self, place: Path) -> None:
        self._columns = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in _COLUMNS}
        self.as_of = msgspec.json.decode((place / AS_OF).read_bytes(), type=AsOf)

    def columns(self) -> list[Numbers]:
        """Return all of them, column by column."""
        return [np.asarray(self._columns[name]) for name in _COLUMNS]

    def of(self, subjects: Numbers) -> Moments:
        """Return what is kept of ``subjects``."""
        held = self._columns["subject"]
        places = np.minimum(np.searchsorted(held, subjects), max(len(held) - 1, 0))
        found = places[held[places] == subjects] if len(held) else places[:0]
        events, first_ms, last_ms, touchpoint, touchpoint_ms = (
            np.asarray(self._columns[name][found]) for name in _COLUMNS[1:]
        )
        return Moments(events, first_ms, last_ms, touchpoint, touchpoint_ms)


class Moments(msgspec.Struct, frozen=True):
    """Events summed up: how many, when the first and the last occurred, and the last touchpoint with its moment."""

    events: Numbers
    first_ms: Numbers
    last_ms: Numbers
    touchpoint: Numbers
    touchpoint_ms: Numbers


def note_moments(occurred_ms: Numbers, touchpoint: Numbers) -> Moments:
    """Return single events as sums of one each."""
    touchpoint_ms = np.where(touchpoint == ABSENT, ABSENT, occurred_ms)
    return Moments(np.ones(len(occurred_ms), np.int64), occurred_ms, occurred_ms, touchpoint, touchpoint_ms)


def sum_up(purpose: str, blueprint: Blueprint, moments: Iterable[Moments], waiting: int, lag_ms: int) -> Profile:
    """Return one profile out of sums, ``waiting`` of whose events do not stand in parts."""
    some = [*moments]
    events, first_ms, last_ms, touchpoint, touchpoint_ms = (
        np.concatenate([_NONE, *(getattr(one, name) for one in some)]) for name in Moments.__struct_fields__
    )
    if not len(events):
        return Profile(purpose, True, lag_ms=lag_ms)
    latest_ms, latest = max(zip(touchpoint_ms.tolist(), touchpoint.tolist(), strict=True))
    return Profile(
        purpose=purpose,
        permitted=True,
        events=int(events.sum()),
        first_ms=int(first_ms.min()),
        last_ms=int(last_ms.max()),
        touchpoint=None if latest == ABSENT else blueprint.touchpoints[latest].id,
        touchpoint_ms=None if latest == ABSENT else latest_ms,
        waiting=waiting,
        lag_ms=lag_ms,
    )


def write_profiles(
    folder: Path,
    blueprint: Blueprint,
    parts: Sequence[Part],
    bit: int,
    as_of: AsOf,
    before: Profiles | None,
    draft: Path,
) -> None:
    """Write the profiles of everybody on whose events the stamp ``bit`` stands, from ``parts``.

    With ``before``, which rests on the same as ``as_of``, only the events since then are read.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    whole = before.columns() if before else [_NONE for _ in _COLUMNS]
    from_event_no = before.as_of.event_no if before else 0
    waiting: list[list[Numbers]] = []
    for path in verified(folder, (part for part in parts if part.last_event_no >= from_event_no)):
        waiting.append(_gather(path, blueprint, bit, as_of.since_ms, from_event_no))
        if sum(len(one[0]) for one in waiting) > max(_MERGED_ROWS, len(whole[0])):
            whole, waiting = _merge_all(whole, waiting), []
    whole = _merge_all(whole, waiting)
    for name, column in zip(_COLUMNS, whole, strict=True):
        np.save(draft / f"{name}.npy", column)
    (draft / AS_OF).write_bytes(msgspec.json.encode(as_of))


def _gather(path: Path, blueprint: Blueprint, bit: int, since_ms: int, from_event_no: int) -> list[Numbers]:
    """Return the profiles of one part."""
    wanted = ["event_no", "name", "occurred_ms", "subject", "permitted"]
    wanted += [name for name in pq.read_schema(path).names if name.startswith("field_")]
    rows = pq.ParquetFile(path).read(columns=wanted)
    subject = np.asarray(rows.column("subject").fill_null(ABSENT))
    occurred_ms = np.asarray(rows.column("occurred_ms"))
    keep = (subject != ABSENT) & ((np.asarray(rows.column("permitted")) >> bit) & 1 == 1)
    keep &= (occurred_ms >= since_ms) & (np.asarray(rows.column("event_no")) >= from_event_no)
    touchpoint = meet(blueprint, rows, subject != ABSENT)[keep]
    moments = note_moments(occurred_ms[keep], touchpoint)
    return _merge([subject[keep], *(getattr(moments, name) for name in Moments.__struct_fields__)])


def _merge_all(whole: list[Numbers], others: list[list[Numbers]]) -> list[Numbers]:
    return _merge([np.concatenate(column) for column in zip(whole, *others, strict=True)])


def _merge(columns: Sequence[Numbers]) -> list[Numbers]:
    """Return one row a subject, ascending."""
    subject, events, first_ms, last_ms, touchpoint, touchpoint_ms = columns
    # Of several touchpoints at one moment the last one in the blueprint stands for it, as in `sum_up`.
    order = np.lexsort((touchpoint, touchpoint_ms, subject))
    subject = subject[order]
    if not len(subject):
        return [subject, *(column[order] for column in columns[1:])]
    starts = np.flatnonzero(np.append(True, np.diff(subject) != 0))
    ends = np.append(starts[1:], len(subject)) - 1
    return [
        subject[starts],
        np.add.reduceat(events[order], starts),
        np.minimum.reduceat(first_ms[order], starts),
        np.maximum.reduceat(last_ms[order], starts),
        touchpoint[order][ends],
        touchpoint_ms[order][ends],
    ]


_NONE: npt.NDArray[np.int64] = np.empty(0, np.int64)
