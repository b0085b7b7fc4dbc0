"""The columns that are wanted of opened events, each read as what it is, and the first fault of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from parcours.collect.compaction.cells import (
    read_choices,
    read_numbers,
    read_plain_texts,
    read_texts,
    rows_with_nul,
)
from parcours.collect.compaction.members import Members
from parcours.collect.compaction.reasons import ID_UNUSABLE, NUL_CHARACTER, Reason
from parcours.collect.compaction.wants import Path, Want
from parcours.collect.rows import Flags
from parcours.collect.signals.choices import Said, combine, require_all

_TYPES = {"number": pa.float64(), "choice": pa.bool_()}


class Columns:
    """The columns read so far.

    Attributes:
        by_name: Each column of `raw_schema` that was read.
        faults: The first reason why an event is refused, by its place among the members.
        wrong: Declared columns with the events whose value there is of another kind.
        counts: What is told of events that are accepted.
        signals: The raw signals that stand beside choices, each as a list with ``None`` where there is none.
    """

    def __init__(self, members: Members) -> None:
        self.by_name: dict[str, pa.Array] = {}
        self.faults: dict[int, Reason] = dict(members.faults)
        self.wrong: list[tuple[str, Sequence[int]]] = []
        self.counts: Counter[str] = Counter()
        self.signals: dict[str, Sequence[Any] | None] = {}
        self._members = members
        self._unread: set[int] = set()
        self._texts: dict[tuple[Path, ...], tuple[pa.Array, Sequence[int]]] = {}

    def fault(self, rows: Flags | Iterable[int], reason: Reason) -> None:
        """Note why events are refused, unless something else was found before."""
        found = np.flatnonzero(rows).tolist() if isinstance(rows, np.ndarray) else rows
        for row in found:
            self.faults.setdefault(row, reason)

    def read_member(self, name: str, wrong: Reason | None = None) -> pa.Array:
        """Return an event's own member as text; ``wrong`` is why one is refused that holds neither text nor number."""
        return self.read_texts(((name,),), wrong)

    def read(self, want: Want) -> None:
        """Read one column."""
        if want.kind == "id":
            self.by_name[want.column] = self.read_texts(want.paths, ID_UNUSABLE)
            return
        if want.kind == "signal":
            self.signals[want.column] = self._members.first_of(want.paths, lenient=False)
            return
        if want.all_of:
            self.by_name[want.column] = require_all([self._read_choice(path) for path in want.all_of])
            return
        values = self._members.first_of(want.paths, want.lenient)
        wrong: Sequence[int] = ()
        if values is None:
            column = pa.nulls(len(self._members), _TYPES.get(want.kind, pa.string()))
        elif want.kind == "number":
            column, wrong = read_numbers(values, want.factor)
        elif want.kind == "text":
            column, wrong = read_plain_texts(values)
        elif want.kind == "choice":
            column, unread = read_choices(values, want.yes)
            self._unread.update(unread)
        else:
            column, wrong = read_texts(values, bools=want.kind == "category")
        if wrong:
            self.wrong.append((want.column, wrong))
        self.by_name[want.column] = column

    def state(self, said: Said) -> None:
        """Take what signals say of purposes beside what stands in their own columns; the strictest counts."""
        for purpose, choices in said.choices.items():
            self.by_name[f"consent_{purpose}"] = combine([self.by_name[f"consent_{purpose}"], choices])
        self.counts["consent_undecodable"] += said.faults.total()

    def _read_choice(self, path: Path) -> pa.Array:
        values = self._members.values(path)
        if values is None:
            return pa.nulls(len(self._members), pa.bool_())
        column, unread = read_choices(values, frozenset())
        self._unread.update(unread)
        return column

    def count_choices(self) -> None:
        """Count the events without a choice, and those whose choices cannot be read: neither grants anything."""
        columns = [column for column in self.by_name.values() if pa.types.is_boolean(column.type)]
        if not columns:
            return
        self._unread.update(self._members.unread_choices)
        silent = np.logical_and.reduce([np.asarray(column.is_null()) for column in columns])
        silent[list(self._unread | self.faults.keys())] = False
        self.counts["consent_unreadable"] += len(self._unread - self.faults.keys())
        self.counts["consent_absent"] += int(silent.sum())

    def check_nul(self) -> None:
        """Refuse events that hold the character NUL in anything that would be kept."""
        texts = [column for column in self.by_name.values() if pa.types.is_string(column.type)]
        texts += [column for column, _ in self._texts.values()]
        for column in {id(column): column for column in texts}.values():
            self.fault(rows_with_nul(column), NUL_CHARACTER)

    def read_texts(self, paths: tuple[Path, ...], wrong: Reason | None) -> pa.Array:
        """Return what stands at the first of ``paths`` that is filled, as text; ``wrong`` as for `read_member`."""
        if paths not in self._texts:
            values = self._members.first_of(paths, lenient=False)
            none: tuple[pa.Array, Sequence[int]] = (pa.nulls(len(self._members), pa.string()), ())
            self._texts[paths] = none if values is None else read_texts(values)
        texts, rows = self._texts[paths]
        if wrong and rows:
            self.fault(rows, wrong)
        return texts
