"""Events that wait to be taken over, as arrays: who stands on them and what they state, and none of their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parcours.collect.door import IDENTIFIERS
from parcours.know.callers import recognise
from parcours.know.consent.choices import Mask, read_choices
from parcours.know.consent.ledger import Choices
from parcours.know.identity.identifiers import Spelling
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


class Said(msgspec.Struct, frozen=True):
    """Choices in a piece: on which of its rows, for the identifier of which type there, and which."""

    kind: str
    rows: npt.NDArray[np.int32]
    granted: Choices


class Piece(msgspec.Struct, frozen=True):
    """The new events of one catching up, some 60 bytes each.

    Attributes:
        people: The pseudonyms by identifier type, `NOBODY` where there is none; no type that is on none of them.
        batch_no, place: The offset of each.
        received_ms, occurred_ms: When the event was first received, and when it happened.
        touchpoint: What it meets, `ABSENT` where that is none.
        stated: The choices in it, by purpose.
        keys: What the events are known by (`key_of`), ascending.
    """

    people: Mapping[str, Numbers]
    batch_no: Numbers
    place: npt.NDArray[np.int32]
    received_ms: Numbers
    occurred_ms: Numbers
    touchpoint: npt.NDArray[np.int16]
    stated: Mapping[str, tuple[Said, ...]]
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


def name_people(events: pa.Table, key: bytes, spelling: Spelling) -> tuple[dict[str, Numbers], Mask]:
    """Return the pseudonyms on raw events by identifier type, and which events the door would not refuse for one."""
    people = {kind: recognise(kind, events.column(f"id_{kind}"), key, spelling) for kind in IDENTIFIERS}
    return people, np.minimum.reduce(list(people.values())) >= NOBODY


def strongest_of(people: Mapping[str, Numbers], count: int) -> Numbers:
    """Return the strongest identifier on each of ``count`` events, `NOBODY` where there is none."""
    strongest: Numbers = np.full(count, NOBODY, np.int64)
    for kind in reversed(IDENTIFIERS):
        if kind in people:
            strongest = np.where(people[kind] >= 0, people[kind], strongest)
    return strongest


def gather_stated(
    events: pa.Table, people: Mapping[str, Numbers], purposes: Sequence[str]
) -> dict[str, tuple[Said, ...]]:
    """Return the choices in ``events``, by purpose."""
    everywhere = np.ones(events.num_rows, bool)
    found: dict[str, tuple[Said, ...]] = {}
    for purpose in purposes:
        said = tuple(
            Said(kind, places.astype(np.int32), granted)
            for kind, places, granted in read_choices(events, purpose, people, everywhere)
            if len(places)
        )
        if said:
            found[purpose] = said
    return found


def find_rows(pieces: Sequence[Piece], after: int, pseudonyms: Numbers) -> Rows:
    """Return the events after batch ``after`` on which any of ``pseudonyms`` stands."""
    found = []
    for piece in pieces:
        mine = np.zeros(len(piece.batch_no), bool)
        for codes in piece.people.values():
            mine |= np.isin(codes, pseudonyms)
        found.append((piece, np.flatnonzero(mine & (piece.batch_no > after))))

    def join(name: str) -> Numbers:
        return np.concatenate([_NONE, *(getattr(piece, name)[rows] for piece, rows in found)])

    def join_people(kind: str) -> Numbers:
        named = [
            piece.people[kind][rows] if kind in piece.people else np.full(len(rows), NOBODY) for piece, rows in found
        ]
        return np.concatenate([_NONE, *named])

    return Rows({kind: join_people(kind) for kind in IDENTIFIERS}, *map(join, Rows.__struct_fields__[1:]))


def find_stated(pieces: Sequence[Piece], after: int, purpose: str, principals: Numbers) -> Stated:
    """Return what is stated about ``purpose`` for any of ``principals`` after batch ``after``."""
    found = [_NOTHING_STATED]
    for piece in pieces:
        for said in piece.stated.get(purpose, ()):
            named = piece.people[said.kind][said.rows]
            mine = np.isin(named, principals) & (piece.batch_no[said.rows] > after)
            rows = said.rows[mine]
            found.append(Stated(named[mine], said.granted[mine], piece.occurred_ms[rows], piece.batch_no[rows]))
    return Stated(*(np.concatenate([getattr(one, name) for one in found]) for name in Stated.__struct_fields__))


_NONE: Numbers = np.empty(0, np.int64)
_NOTHING_STATED = Stated(_NONE, np.empty(0, np.int8), _NONE, _NONE)
