"""Personal values (names, birth dates, addresses): the latest of each person, sealed in the vault and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.engine.store.checked import TAG_BYTES
from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers
from parcours.know.state import damaged, tally_of

RESTATED_MS = 24 * 3_600_000
"""How long after a value was told the same one need not be noted again: clients tell it on every event."""

MOST_PENDING = 50_000
RECTIFIED = -1
"""The event number of a value that the person put right: no event tells it, and none takes it back."""

_NONCE = 12
_AT_ONCE = 20_000
_SELECT = "SELECT subject, first_event_no, last_event_no, sealed FROM personal"


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A value as it was told last: its text, when that was, and on which event (`RECTIFIED` for none).

    ``instead_of`` is the wrong value that it was put in the place of.
    """

    text: str
    occurred_ms: int
    event_no: int
    instead_of: str = ""


Values = dict[str, Told]
"""What is known of one identifier, by field."""


class Personal:
    """Personal values by identifier, one sealed row each, under the identifier's own key in ``keys.db``.

    What was told later counts; at the same moment, the event that came later.
    """

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._keys = keys
        self._tally = tally_of(state, "personal")
        self._pending: dict[int, Values] = {}

    def note(
        self, subjects: Numbers, event_nos: Numbers, occurred_ms: Numbers, columns: Mapping[str, Sequence[str | None]]
    ) -> None:
        """Note what events tell of ``subjects``, field by field; `settle` keeps it."""
        rows = list(zip(subjects.tolist(), occurred_ms.tolist(), event_nos.tolist(), strict=True))
        for field, texts in columns.items():
            for (subject, at_ms, event_no), text in zip(rows, texts, strict=True):
                if text is not None:
                    _take(self._pending.setdefault(subject, {}), field, Told(text, at_ms, event_no))

    @property
    def waits_for_many(self) -> bool:
        """Whether so much was noted that it should be settled before more comes."""
        return len(self._pending) > MOST_PENDING

    def settle(self) -> None:
        """Make what was noted durable; the keys of all that it names must be so already."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        with self._state.transaction():
            held = dict(self._read(sorted(pending)))
            changed = {}
            for subject, values in pending.items():
                known = held.get(subject, {})
                news = [_take(known, field, told) for field, told in values.items()]
                if any(news):
                    changed[subject] = known
            self._write(changed)

    def abandon(self) -> None:
        """Drop what was noted and not settled."""
        self._pending.clear()

    def read(self, subjects: Iterable[int] | None = None) -> Iterator[tuple[int, Values]]:
        """Yield what is known of ``subjects``, by default of everybody; whose key was destroyed is passed over.

        Raises:
            ParcoursError: ``state_damaged`` names a row that was altered, ``row_damaged`` says that rows are missing.
        """
        if subjects is not None:
            yield from self._read(sorted(subjects))
            return
        with self._state.snapshot():
            tags: list[Cell] = []
            for rows in self._state.read_on(f"{_SELECT} WHERE subject > ? ORDER BY subject LIMIT ?", -1, _AT_ONCE):
                tags += [_tag(row[3]) for row in rows]
                yield from self._open_all(rows)
            self._tally.compare(tags)

    def withdraw(self, event_nos: Iterable[int]) -> None:
        """Forget the values that these events told last."""
        gone = np.unique(np.fromiter(event_nos, np.int64))
        if not len(gone):
            return
        numbers = set(gone.tolist())
        for subject, values in self._pending.items():
            self._pending[subject] = _without(values, numbers)
        where = "WHERE last_event_no >= ? AND first_event_no <= ?"
        with self._state.transaction():
            rows = self._state.execute(f"{_SELECT} {where}", (int(gone[0]), int(gone[-1])))
            kept, empty = {}, []
            for subject, values in self._open_all(rows):
                left = _without(values, numbers)
                if not left:
                    empty.append(subject)
                elif len(left) < len(values):
                    kept[subject] = left
            self.forget(empty)
            self._write(kept)

    def forget_from(self, event_no: int) -> None:
        """Forget the values that events from ``event_no`` on told last."""
        last = self._state.execute("SELECT coalesce(max(last_event_no), -1) FROM personal")[0][0]
        self.withdraw(range(event_no, int(last or 0) + 1))

    def rectify(self, subjects: Sequence[int], field: str, text: str, at_ms: int) -> None:
        """Put ``text`` in the place of what is known in ``field`` of one person, and let what was wrong stay away.

        Where nothing is known of it yet the first of ``subjects`` gets it.
        """
        with self._state.transaction():
            held = dict(self._read(sorted(subjects)))
            wrong = {subject: values[field].text for subject, values in held.items() if field in values}
            changed = {subject: held.get(subject, {}) for subject in wrong or subjects[:1]}
            for subject, values in changed.items():
                values[field] = Told(text, at_ms, RECTIFIED, wrong.get(subject, ""))
            self._write(changed)

    def forget(self, subjects: Iterable[int]) -> int:
        """Delete all that is known of ``subjects``; return of how many there was anything."""
        return self._tally.drop("subject = ?", ((subject,) for subject in subjects))

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each row that was altered, and one when rows are missing."""
        with self._state.snapshot():
            rows = self._state.execute(_SELECT)
            for row in rows:
                try:
                    list(self._open_all([row]))
                except ParcoursError as fault:
                    yield fault
            yield from self._tally.verify(_tag(row[3]) for row in rows)

    def _read(self, subjects: Sequence[int]) -> Iterator[tuple[int, Values]]:
        for start in range(0, len(subjects), 500):
            some = subjects[start : start + 500]
            marks = ", ".join("?" * len(some))
            yield from self._open_all(self._state.execute(f"{_SELECT} WHERE subject IN ({marks})", some))

    def _open_all(self, rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[int, Values]]:
        numbers = [row[0] for row in rows if isinstance(row[0], int)]
        keys = self._keys.find(numbers)
        for row in rows:
            if not all(isinstance(cell, int) for cell in row[:3]):
                raise damaged("personal", row[0], self._state.path)
            key = keys.get(int(row[0] or 0))
            if key is not None:
                yield int(row[0] or 0), self._open(key, row)

    def _open(self, key: bytes, row: tuple[Cell, ...]) -> Values:
        sealed = row[3]
        try:
            if not isinstance(sealed, bytes):
                raise InvalidTag
            plain = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(*row[:3]))
            return msgspec.msgpack.decode(plain, type=Values)
        except (InvalidTag, ValueError, msgspec.DecodeError) as fault:
            raise damaged("personal", row[0], self._state.path) from fault

    def _write(self, changed: Mapping[int, Values]) -> None:
        keys = self._keys.find(changed)
        rows: list[tuple[int, int, int, bytes]] = []
        for subject, values in sorted(changed.items()):
            key = keys.get(subject)
            if key is None:  # It was destroyed: what this person tells is not kept any more.
                continue
            told_on = [told.event_no for told in values.values()]
            bound = subject, min(told_on), max(told_on)
            nonce = os.urandom(_NONCE)
            sealed = nonce + AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(values), _bound(*bound))
            rows.append((*bound, sealed))
        if rows:
            self._tally.drop("subject = ?", ((row[0],) for row in rows))
            self._state.executemany("INSERT INTO personal VALUES (?, ?, ?, ?)", rows)
            self._tally.note(added=(_tag(row[3]) for row in rows))


def _take(values: Values, field: str, told: Told) -> bool:
    """Let ``told`` take the place of what ``values`` hold of a field, if it says more; return whether it did."""
    held = values.get(field)
    if held is not None:
        if told.text == held.instead_of:  # A source that was not told repeats what was wrong.
            return False
        older = (told.occurred_ms, told.event_no) <= (held.occurred_ms, held.event_no)
        if older or (told.text == held.text and told.occurred_ms < held.occurred_ms + RESTATED_MS):
            return False
        told = Told(told.text, told.occurred_ms, told.event_no, held.instead_of)
    values[field] = told
    return True


def _without(values: Values, event_nos: set[int]) -> Values:
    return {field: told for field, told in values.items() if told.event_no not in event_nos}


def _tag(sealed: Cell) -> Cell:
    return sealed[-TAG_BYTES:] if isinstance(sealed, bytes) else None


def _bound(*numbers: Cell) -> bytes:
    """Return what a seal is bound to, so that neither the row's other columns nor its place can be changed."""
    return b"personal" + b"".join(int(number or 0).to_bytes(8, "little", signed=True) for number in numbers)
