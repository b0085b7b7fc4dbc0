"""The chain of the ledger on disk: a salted commitment a line, each linked to all before it.

A line is committed to by BLAKE2b over its contents under a salt of its own, and the chain runs over the commitments. So
contents and salt can be erased, the commitment takes their place, and the chain still shows that nothing was altered,
removed or put elsewhere. Links are keyed: whoever can write the file cannot make one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from functools import reduce
from hashlib import blake2b
from operator import xor
from typing import Any

import msgspec
import numpy as np

from parcours.engine.store.sqlite import OUT_OF_ORDER, Cell, Database, database_damaged
from parcours.errors import ParcoursError
from parcours.know.consent.lines import COLUMNS, WIDTH
from parcours.know.pseudonyms import Numbers
from parcours.know.state import damaged

SALT_BYTES = 16
LINK_BYTES = 32
TALLIED = "substr(link, 1, 16)"
"""The part of a link that the tally sums up."""

_TALLIED_BYTES = 16
_READ_LINES = 100_000
_NAMES = ", ".join(COLUMNS)
_PACKED = struct.Struct(f"<{WIDTH}q")


class Head(msgspec.Struct, frozen=True):
    """Where the chain stands: its last line, that line's link, and the exclusive or of all links as tallied."""

    entry_no: int = 0
    link: bytes = bytes(LINK_BYTES)
    total: int = 0


class Read(msgspec.Struct, frozen=True):
    """What was read: lines with contents (n × 11, their number last), the numbers of erased ones, and the head."""

    lines: Numbers
    erased: Numbers
    head: Head


def commit(contents: bytes, salt: bytes) -> bytes:
    """Return the commitment to the packed ``contents`` of a line (32 bytes of salted BLAKE2b, RFC 7693)."""
    return blake2b(contents, digest_size=LINK_BYTES, salt=salt, person=b"consent line").digest()


def pack(contents: Sequence[Cell]) -> bytes:
    """Return the columns of a line as its commitment covers them; `struct.error` where one is no whole number."""
    return _PACKED.pack(*contents)


def read_chain(state: Database, key: bytes, after: Head) -> Iterator[Read]:
    """Yield the lines behind ``after``, some at a time, each checked.

    Raises:
        ParcoursError: ``state_damaged`` names the first line that was altered, is missing or stands elsewhere.
    """
    while rows := _select(state, after.entry_no, _READ_LINES):
        read, faults = _check(state, key, after, rows)
        if faults:
            raise faults[0]
        yield read
        after = read.head


def find_faults(state: Database, key: bytes) -> Iterator[ParcoursError | Read]:
    """Yield one error for each line that was altered, is missing or stands elsewhere, and what could be read."""
    after = Head()
    while rows := _select(state, after.entry_no, _READ_LINES):
        read, faults = _check(state, key, after, rows)
        yield from faults
        if read.head.entry_no <= after.entry_no:
            # A page stands in the place of another: one would read on for ever.
            yield database_damaged(state.path, OUT_OF_ORDER)
            return
        yield read
        after = read.head


def read_last(state: Database, key: bytes, count: int) -> Read:
    """Return the last ``count`` lines, each checked against the one before it.

    Raises:
        ParcoursError: ``state_damaged``.
    """
    with state.snapshot():
        last = int(state.execute("SELECT coalesce(max(entry_no), 0) FROM consent")[0][0] or 0)
        first = max(0, last - count)
        before = state.execute("SELECT link FROM consent WHERE entry_no = ?", (first,))
        link = before[0][0] if before and isinstance(before[0][0], bytes) else Head().link
        read, faults = _check(state, key, Head(first, link), _select(state, first, count))
    if faults:
        raise faults[0]
    return read


def append(state: Database, key: bytes, head: Head, lines: Numbers) -> tuple[Head, list[bytes]]:
    """Append ``lines`` behind ``head``, inside a transaction; return the new head, and what the tally notes."""
    salts = os.urandom(SALT_BYTES * len(lines))
    contents, size = np.ascontiguousarray(lines[:, :WIDTH], "<i8").tobytes(), _PACKED.size
    links = [head.link]

    def make_rows() -> Iterator[tuple[Cell, ...]]:
        # The numbers follow one another without a gap, so that a line that is missing has one.
        for place, columns in enumerate(zip(*lines[:, :WIDTH].T.tolist(), strict=True)):
            salt, entry_no = salts[SALT_BYTES * place : SALT_BYTES * (place + 1)], head.entry_no + place + 1
            links.append(_link(links[-1], entry_no, commit(contents[size * place : size * (place + 1)], salt), key))
            yield (entry_no, *columns, salt, links[-1])

    if len(lines):
        sql = f"INSERT INTO consent (entry_no, {_NAMES}, salt, link) VALUES ({', '.join('?' * (WIDTH + 3))})"
        state.executemany(sql, make_rows())
    tallied = [link[:_TALLIED_BYTES] for link in links[1:]]
    total = reduce(xor, (int.from_bytes(one, "little") for one in tallied), head.total)
    return Head(head.entry_no + len(lines), links[-1], total), tallied


def erase_lines(state: Database, entries: Sequence[int], commitments: Sequence[bytes]) -> None:
    """Put the commitments of lines into the place of what they say, inside a transaction."""
    nothing = ", ".join(f"{name} = NULL" for name in COLUMNS)
    sql = f"UPDATE consent SET {nothing}, salt = NULL, commitment = ? WHERE entry_no = ?"
    state.executemany(sql, zip(commitments, entries, strict=True))


def _select(state: Database, after: int, most: int) -> list[tuple[Cell, ...]]:
    return state.execute(
        f"SELECT {_NAMES}, salt, commitment, link, entry_no FROM consent WHERE entry_no > ? ORDER BY entry_no LIMIT ?",
        (after, most),
    )


def _check(state: Database, key: bytes, after: Head, rows: list[tuple[Cell, ...]]) -> tuple[Read, list[ParcoursError]]:
    """Check rows that stand behind ``after``; a faulty one is told once and passed over."""
    faults: list[ParcoursError] = []
    kept: list[tuple[Any, ...]] = []
    erased: list[int] = []
    link, expected, total = after.link, after.entry_no + 1, after.total
    for row in rows:
        *contents, salt, commitment, held, entry_no = row
        if entry_no != expected:
            faults.append(damaged("consent", _span(expected, int(entry_no or 0) - 1), state.path))
        gone = salt is None
        told = commitment if gone and isinstance(commitment, bytes) else _commitment_of(contents, salt)
        if gone and any(cell is not None for cell in contents):
            told = None
        follows = told is not None and held == _link(link, int(entry_no or 0), told, key)
        # Behind a gap nobody can say what the link should be: that lines are missing was told.
        if told is None or not (follows or entry_no != expected):
            faults.append(damaged("consent", entry_no, state.path))
        elif gone:
            erased.append(int(entry_no or 0))
        else:
            kept.append((*contents, entry_no))
        link, expected = held if isinstance(held, bytes) else b"", int(entry_no or 0) + 1
        total ^= int.from_bytes(link[:_TALLIED_BYTES], "little")
    lines = np.array(kept, np.int64).reshape(-1, WIDTH + 1)
    return Read(lines, np.array(erased, np.int64), Head(expected - 1, link, total)), faults


def _commitment_of(contents: Sequence[Cell], salt: Cell) -> bytes | None:
    try:
        return commit(pack(contents), salt)  # type: ignore[arg-type]
    except (struct.error, TypeError, ValueError):
        return None


def _link(before: bytes, entry_no: int, commitment: bytes, key: bytes) -> bytes:
    told = before + entry_no.to_bytes(8, "little") + commitment
    return blake2b(told, key=key, digest_size=LINK_BYTES, person=b"consent chain").digest()


def _span(first: int, last: int) -> str:
    return str(first) if first >= last else f"{first}–{last}"
