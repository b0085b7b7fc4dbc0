"""What one reading of the parts leaves behind: touches, answers, operations, payments and groups, not yet in order."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from parcours.blueprint.records import Blueprint, Experience, Operation
from parcours.know.conditions import Conditions
from parcours.know.mapping import ABSENT, Chunk, Codes, EventMap, Mask
from parcours.know.omissions import Answered
from parcours.know.once import NO_MONEY
from parcours.know.pseudonyms import Numbers

Column = npt.NDArray[np.generic]
UNIT_MS = {"ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "d": 8.64e7}
"""What a duration between two events is counted in; hours where the blueprint says nothing of the kind."""


MOST_ROWS_IN_MEMORY = 1 << 22
"""Where more rows are expected, columns stand in nameless files, whose pages memory may give back."""


class Columns:
    """Rows gathered piece after piece, by column, in room that is set aside once.

    Args:
        room: How many rows are expected; more of them cost a copy. Memory is only taken when it is written to.
        spill: The folder of the nameless files of many rows; without one everything stands in memory.
    """

    def __init__(self, room: int = 4096, spill: Path | None = None) -> None:
        self._room, self._spill = room, spill
        self._size = 0
        self._held: dict[str, Column] = {}

    def add(self, **columns: Column) -> None:
        """Add a piece; every call names the same columns, of the same types and one length."""
        end = self._size + max(map(len, columns.values()))
        if end > self._room:
            self._room = max(end, 2 * self._room)
            for name, held in self._held.items():
                self._held[name] = self._set_aside(held.dtype)
                self._held[name][: self._size] = held[: self._size]
        for name, values in columns.items():
            if name not in self._held:
                self._held[name] = self._set_aside(values.dtype)
            self._held[name][self._size : end] = values
        self._size = end

    def take(self, name: str, dtype: type[np.generic]) -> npt.NDArray:  # type: ignore[type-arg]
        """Return the whole column ``name`` and let go of it."""
        held = self._held.pop(name, None)
        return np.empty(0, dtype) if held is None else held[: self._size].astype(dtype, copy=False)

    def _set_aside(self, dtype: np.dtype[np.generic]) -> Column:
        if self._spill is None or self._room <= MOST_ROWS_IN_MEMORY:
            return np.empty(self._room, dtype)
        with tempfile.TemporaryFile(dir=self._spill) as file:
            # Room that turns out to be missing when a page is written would end the process with a signal.
            os.posix_fallocate(file.fileno(), 0, self._room * dtype.itemsize)
            return np.frombuffer(mmap.mmap(file.fileno(), self._room * dtype.itemsize), dtype)


class Gathering:
    """Takes chunks in, one after the other: of ``people`` profiles, ``rows`` rows in all; many rows spill to files."""

    def __init__(
        self, blueprint: Blueprint, events: EventMap, people: int, rows: int, spill: Path | None = None
    ) -> None:
        self._blueprint = blueprint
        self._events = events
        self._site = blueprint.panel.site if blueprint.panel else None
        self.touches = Columns(rows, spill)
        self.answers = Columns()
        self.operations = [Columns() for _ in blueprint.operations]
        self.ends = [Columns() for _ in blueprint.operations]
        self.payments = Columns()
        self.groups = {group.id: LatestValue(people) for group in blueprint.groups}
        self.seen = np.zeros(people + 1, bool)
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.answered = {n: Answered() for n, one in enumerate(blueprint.touchpoints) if one.experience}
        self.conditions = Conditions(blueprint, events)

    def add(self, chunk: Chunk) -> None:
        """Take in what ``chunk`` holds of each kind."""
        self.seen[chunk.person] = True
        first, last = int(chunk.occurred_ms.min()), int(chunk.occurred_ms.max())
        self.first_ms = first if self.first_ms is None else min(first, self.first_ms)
        self.last_ms = last if self.last_ms is None else max(last, self.last_ms)
        self.conditions.watch(chunk)
        cents = self._add_payments(chunk)
        self._add_touches(chunk, cents)
        for number, touchpoint in enumerate(self._blueprint.touchpoints):
            if touchpoint.experience:
                self._add_answers(chunk, number, touchpoint.experience)
        for number, operation in enumerate(self._blueprint.operations):
            self._add_operation(chunk, number, operation)
        for group in self._blueprint.groups:
            codes = chunk.categories.get(group.field)
            if codes is not None:
                self.groups[group.id].add(chunk, codes)

    def _add_payments(self, chunk: Chunk) -> Numbers | None:
        """Return the cents of each row, `ABSENT` where it is no payment."""
        money = self._blueprint.money
        amounts = chunk.numbers.get(money.field) if money else None
        if money is None or amounts is None:
            return None
        rows = np.flatnonzero(self._events.matches(chunk, money.event) & ~np.isnan(amounts))
        cents = np.full(len(amounts), NO_MONEY, np.int64)
        cents[rows] = np.rint(amounts[rows] * 100).astype(np.int64)
        mine = rows[chunk.person[rows] != ABSENT]
        self.payments.add(person=chunk.person[mine], cents=cents[mine])
        return cents

    def _add_touches(self, chunk: Chunk, cents: Numbers | None) -> None:
        rows, touchpoint = self._events.touchpoints(chunk)
        if len(rows) == len(chunk.event_no) and (rows[1:] > rows[:-1]).all():
            rows = slice(None)  # type: ignore[assignment]  # every row once: no need to copy
        size = len(touchpoint)
        self.touches.add(
            person=chunk.person[rows],
            event_no=chunk.event_no[rows],
            occurred_ms=chunk.occurred_ms[rows],
            touchpoint=touchpoint,
            site=self._site_of(chunk)[rows],
            cents=np.full(size, NO_MONEY, np.int64) if cents is None else cents[rows],
            **{f"object_{kind}": _object(chunk, kind)[rows] for kind in self._blueprint.objects},
        )

    def _add_answers(self, chunk: Chunk, number: int, experience: Experience) -> None:
        rows = np.flatnonzero(self._events.matches(chunk, experience.event) & (chunk.person != ABSENT))
        if not len(rows):
            return
        scores = chunk.numbers.get(experience.field)
        score = np.full(len(rows), np.nan) if scores is None else scores[rows]
        on_scale = self.answered[number].add(score, experience.scale)
        rows, score = rows[on_scale], score[on_scale]
        text = chunk.texts.get(experience.text) if experience.text else None
        self.answers.add(
            person=chunk.person[rows],
            event_no=chunk.event_no[rows],
            occurred_ms=chunk.occurred_ms[rows],
            touchpoint=np.full(len(rows), number, np.int16),
            score=score,
            site=self._site_of(chunk)[rows],
            tie=_object(chunk, experience.tie)[rows] if experience.tie else np.full(len(rows), ABSENT, np.int64),
            text_ref=np.full(len(rows), ABSENT, np.int64) if text is None else text[rows],
        )

    def _add_operation(self, chunk: Chunk, number: int, operation: Operation) -> None:
        measure = operation.measure
        found = np.zeros(len(chunk.name), bool)
        for match in operation.events:
            found |= self._events.matches(chunk, match)
        rows = np.flatnonzero(found)
        if measure.until:
            ends = np.flatnonzero(self._events.matches(chunk, measure.until))
            self.ends[number].add(tie=_object(chunk, measure.tie)[ends], occurred_ms=chunk.occurred_ms[ends])
        value = self._value(chunk, operation, rows)
        told = ~np.isnan(value)
        rows, value = rows[told], value[told]
        self.operations[number].add(
            event_no=chunk.event_no[rows],
            occurred_ms=chunk.occurred_ms[rows],
            site=self._site_of(chunk)[rows],
            value=value,
            tie=_object(chunk, measure.tie)[rows],
            **{f"object_{kind}": _object(chunk, kind)[rows] for kind in self._blueprint.objects},
        )

    def _value(self, chunk: Chunk, operation: Operation, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return what each event of ``operation`` is worth, NaN where it does not say."""
        measure = operation.measure
        if measure.count or measure.field is None:
            return np.ones(len(rows))
        if not measure.bad:
            numbers = chunk.numbers.get(measure.field)
            return np.full(len(rows), np.nan) if numbers is None else numbers[rows]
        codes = chunk.categories.get(measure.field)
        if codes is None:
            return np.full(len(rows), np.nan)
        wanted = [self._events.categories[measure.field].find(value) for value in measure.bad]
        bad = np.isin(codes[rows], [code for code in wanted if code != ABSENT]).astype(np.float64)
        return np.where(codes[rows] == ABSENT, np.nan, bad)

    def _site_of(self, chunk: Chunk) -> Codes:
        codes = chunk.categories.get(self._site) if self._site else None
        return np.full(len(chunk.name), ABSENT, np.int32) if codes is None else codes


class LatestValue:
    """The latest known value of one category field, by profile."""

    def __init__(self, people: int) -> None:
        self.code = np.full(people, ABSENT, np.int32)
        self._at_ms = np.full(people, np.iinfo(np.int64).min)
        self._event_no = np.full(people, -1, np.int64)

    def add(self, chunk: Chunk, codes: Codes) -> None:
        """Take in further values; the order of chunks does not matter."""
        rows = np.flatnonzero((codes != ABSENT) & (chunk.person != ABSENT))
        if not len(rows):
            return
        at_ms = chunk.occurred_ms[rows]
        if (at_ms[1:] < at_ms[:-1]).any():
            rows = rows[np.argsort(at_ms, kind="stable")]
        # Chunks come by event number, so that after a stable sort by time the last write is the latest.
        last = np.full(len(self.code), -1, np.int64)
        last[chunk.person[rows]] = rows
        people = np.flatnonzero(last >= 0)
        rows = last[people]
        at_ms, event_no = chunk.occurred_ms[rows], chunk.event_no[rows]
        later: Mask = (at_ms > self._at_ms[people]) | (
            (at_ms == self._at_ms[people]) & (event_no > self._event_no[people])
        )
        people, rows = people[later], rows[later]
        self.code[people], self._at_ms[people], self._event_no[people] = codes[rows], at_ms[later], event_no[later]


def _object(chunk: Chunk, kind: str | None) -> Numbers:
    held = chunk.objects.get(kind) if kind else None
    return np.full(len(chunk.name), ABSENT, np.int64) if held is None else held
