"""Events that wait to be taken over, as arrays: who stands on them and what they state, and none of their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parcours.collect.compaction.reading import Read
from parcours.collect.door import IDENTIFIERS
from parcours.know.callers import recognise
from parcours.know.choices import Mask, read_choices
from parcours.know.consent import Choices
from parcours.know.pseudonyms import NOBODY, Numbers

_SPREAD = np.int64(0x1E3779B97F4A7C15)


class Stated(msgspec.Struct, frozen=True):
    """Choices about one purpose: for whom, which, when, and in which batch of the journal."""

    principal: Numbers
    granted: Choices
    occurred_ms: Numbers
    batch_no: Numbers

    def pick(self, rows: Mask) -> Stated:
        """Return some of them."""
        return Stated(self.principal[rows], self.granted[rows], self.occurred_ms[rows], self.batch_no[rows])


class Piece(msgspec.Struct, frozen=True):
    """The new events of one catching up, some 70 bytes each.

    Attributes:
        people: The pseudonyms by identifier type, `NOBODY` where there is none.
        batch_no, place: The offset of each.
        received_ms, occurred_ms: When the event was first received, and when it happened.
        touchpoint: What it meets, `ABSENT` where that is none.
        stated: The choices in it, by purpose.
        keys: What the events are known by (`key_of`), ascending.
    """

    people: Mapping[str, Numbers]
    batch_no: Numbers
    place: Numbers
    received_ms: Numbers
    occurred_ms: Numbers
    touchpoint: npt.NDArray[np.int16]
    stated: Mapping[str, Stated]
    keys: Numbers

    def holds(self, keys: Numbers) -> Mask:
        """Return which of ``keys`` are those of events in it."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        held: Mask = self.keys[places] == keys
        return held


class Rows(msgspec.Struct, frozen=True):
    """Some waiting events, as in `Piece`."""

    people: Mapping[str, Numbers]
    batch_no: Numbers
    place: Numbers
    received_ms: Numbers
    occurred_ms: Numbers
    touchpoint: Numbers

    def pick(self, rows: Mask) -> Rows:
        """Return some of them."""
        people = {kind: codes[rows] for kind, codes in self.people.items()}
        others = (getattr(self, name)[rows] for name in self.__struct_fields__[1:])
        return Rows(people, *others)


def key_of(day: Numbers, id_hash: Numbers) -> Numbers:
    """Return what an event is known by: its message, within the client's day."""
    return id_hash ^ (day * _SPREAD)


def name_people(events: pa.Table, key: bytes, region: str | None) -> tuple[dict[str, Numbers], Mask]:
    """Return the pseudonyms on raw events by identifier type, and which events the door would not refuse for one."""
    people = {kind: recognise(kind, events.column(f"id_{kind}"), key, region) for kind in IDENTIFIERS}
    return people, np.minimum.reduce(list(people.values())) >= NOBODY


def gather_stated(
    read: Read, rows: Numbers, events: pa.Table, people: Mapping[str, Numbers], purposes: Sequence[str]
) -> dict[str, Stated]:
    """Return the choices in ``events``, which are the ``rows`` of ``read``."""
    occurred_ms = np.asarray(events.column("occurred_ms"))
    everywhere = np.ones(events.num_rows, bool)
    found: dict[str, Stated] = {}
    for purpose in purposes:
        said = [
            (principals, granted, occurred_ms[places], read.batch_no[rows[places]])
            for places, principals, granted in read_choices(events, purpose, people, everywhere)
            if len(places)
        ]
        if said:
            found[purpose] = Stated(*(np.concatenate(column) for column in zip(*said, strict=True)))
    return found


def find_rows(pieces: Sequence[Piece], after: int, pseudonyms: Numbers) -> Rows:
    """Return the events after batch ``after`` on which any of ``pseudonyms`` stands."""
    found = []
    for piece in pieces:
        mine = np.logical_or.reduce([np.isin(codes, pseudonyms) for codes in piece.people.values()])
        found.append((piece, np.flatnonzero(mine & (piece.batch_no > after))))

    def join(name: str) -> Numbers:
        return np.concatenate([_NONE, *(getattr(piece, name)[rows] for piece, rows in found)])

    people = {
        kind: np.concatenate([_NONE, *(piece.people[kind][rows] for piece, rows in found)]) for kind in IDENTIFIERS
    }
    return Rows(people, *(join(name) for name in Rows.__struct_fields__[1:]))


def find_stated(pieces: Sequence[Piece], after: int, purpose: str, principals: Numbers) -> Stated:
    """Return what is stated about ``purpose`` for any of ``principals`` after batch ``after``."""
    found = [_NOTHING_STATED]
    for piece in pieces:
        stated = piece.stated.get(purpose)
        if stated is not None:
            found.append(stated.pick(np.isin(stated.principal, principals) & (stated.batch_no > after)))
    return Stated(*(np.concatenate([getattr(one, name) for one in found]) for name in Stated.__struct_fields__))


_NONE: Numbers = np.empty(0, np.int64)
_NOTHING_STATED = Stated(_NONE, np.empty(0, np.int8), _NONE, _NONE)
