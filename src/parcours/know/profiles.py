"""Online profiles: what a purpose may know of each identifier, found in microseconds and brought up to this second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint
from parcours.engine.store.parts import Part, verified
from parcours.know.live import Piece
from parcours.know.mapping import ABSENT, meet
from parcours.know.pseudonyms import Numbers
from parcours.know.reading import Permission

AS_OF = "as_of.json"
_COLUMNS = ("subject", "events", "first_ms", "last_ms", "touchpoint", "touchpoint_ms")


class Profile(msgspec.Struct, frozen=True):
    """What is known of one customer at this moment.

    Attributes:
        purpose: Under which it was read.
        permitted: Whether the purpose may see this customer now; nothing is told otherwise.
        events: How many events there are, those of the last seconds included.
        first_ms, last_ms: When the first and the last occurred.
        touchpoint: Where the customer last met the company, and when that was.
        waiting: How many of the events do not count in any measure yet.
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


class Profiles:
    """The kept profiles of one purpose, by subject; ``taken`` is the last batch of the journal that they include."""

    def __init__(self, place: Path) -> None:
        self._columns = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in _COLUMNS}
        self.taken = msgspec.json.decode((place / AS_OF).read_bytes(), type=int)

    def of(self, subjects: Numbers) -> dict[str, Numbers]:
        """Return the rows of those of ``subjects`` that have one, column by column."""
        held = self._columns["subject"]
        places = np.minimum(np.searchsorted(held, subjects), max(len(held) - 1, 0))
        found = places[held[places] == subjects] if len(held) else places[:0]
        return {name: np.asarray(column[found]) for name, column in self._columns.items()}


def write_profiles(
    folder: Path, blueprint: Blueprint, parts: Sequence[Part], permission: Permission, taken: int, draft: Path
) -> None:
    """Write the profiles of everybody whom ``permission`` opens, from ``parts``, which include batch ``taken``."""
    gathered = [_gather(path, blueprint, permission) for path in verified(folder, parts)]
    whole = _merge([np.concatenate(column) for column in zip(_nobody(), *gathered, strict=True)])
    for name, column in zip(_COLUMNS, whole, strict=True):
        np.save(draft / f"{name}.npy", column)
    (draft / AS_OF).write_bytes(msgspec.json.encode(taken))


def sum_up(
    purpose: str, blueprint: Blueprint, kept: dict[str, Numbers], pieces: Sequence[tuple[Piece, Numbers]], lag_ms: int
) -> Profile:
    """Return one profile out of kept rows and the rows of what has arrived since."""
    occurred = [piece.occurred_ms[rows] for piece, rows in pieces]
    waiting = sum(len(rows) for rows in occurred)
    events = int(kept["events"].sum()) + waiting
    if not events:
        return Profile(purpose, True, lag_ms=lag_ms)
    met = [(int(ms), int(place)) for ms, place in zip(kept["touchpoint_ms"], kept["touchpoint"], strict=True)]
    for piece, rows in pieces:
        met += [
            (int(ms), int(place))
            for ms, place in zip(piece.occurred_ms[rows], piece.touchpoint[rows], strict=True)
            if place != ABSENT
        ]
    touchpoint_ms, touchpoint = max(met, default=(ABSENT, ABSENT))
    return Profile(
        purpose=purpose,
        permitted=True,
        events=events,
        first_ms=int(np.concatenate([kept["first_ms"], *occurred]).min()),
        last_ms=int(np.concatenate([kept["last_ms"], *occurred]).max()),
        touchpoint=None if touchpoint == ABSENT else blueprint.touchpoints[touchpoint].id,
        touchpoint_ms=None if touchpoint == ABSENT else touchpoint_ms,
        waiting=waiting,
        lag_ms=lag_ms,
    )


def _gather(path: Path, blueprint: Blueprint, permission: Permission) -> list[Numbers]:
    """Return the profiles of one part."""
    wanted = ["name", "occurred_ms", "subject", "permitted"]
    wanted += [name for name in pq.read_schema(path).names if name.startswith("field_")]
    rows = pq.ParquetFile(path).read(columns=wanted)
    subject = np.asarray(rows.column("subject").fill_null(ABSENT))
    places = np.minimum(np.searchsorted(permission.pseudonyms, subject), max(len(permission.pseudonyms) - 1, 0))
    known = (permission.pseudonyms[places] == subject) if len(permission.pseudonyms) else np.zeros(len(subject), bool)
    keep = known & ((np.asarray(rows.column("permitted")) >> permission.bit) & 1 == 1)
    keep[known] &= permission.allowed[permission.person[places[known]]]
    occurred_ms = np.asarray(rows.column("occurred_ms"))
    keep &= occurred_ms >= permission.since_ms
    touchpoint = meet(blueprint, rows, known)[keep]
    subject, occurred_ms = subject[keep], occurred_ms[keep]
    ones = np.ones(len(subject), np.int64)
    touchpoint_ms = np.where(touchpoint == ABSENT, ABSENT, occurred_ms)
    return _merge([subject, ones, occurred_ms, occurred_ms, touchpoint, touchpoint_ms])


def _merge(columns: Sequence[Numbers]) -> list[Numbers]:
    """Return one row a subject, ascending."""
    subject, events, first_ms, last_ms, touchpoint, touchpoint_ms = columns
    order = np.lexsort((touchpoint_ms, subject))
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


def _nobody() -> list[npt.NDArray[np.int64]]:
    return [np.empty(0, np.int64) for _ in _COLUMNS]
