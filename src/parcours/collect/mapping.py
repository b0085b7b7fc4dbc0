"""Rows into raw events: each declared column read as what it is, several events from one row, and the rows at fault."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.amounts import parse_numbers, unit_factor
from parcours.collect.conditions import MOST_VALUES, Met
from parcours.collect.dates import DAY_MS, EARLIEST_MS, parse_dates
from parcours.collect.door import raw_schema
from parcours.collect.lookup import Joined
from parcours.collect.majority import Blame
from parcours.collect.rows import Flags, Ints, RawRows, clean
from parcours.collect.signals.choices import SignalReader, combine
from parcours.collect.source import Choice, Condition, EventName, FieldColumn, Source, SourceEvent, Time, is_punctuation
from parcours.words import Words


class Ahead(msgspec.Struct):
    """Events that have not happened yet: a number a row that tells which (0: none), how many, and when to look again.

    ``due_ms`` is the moment from which the first of them counts as having happened, 0 when there is none.
    """

    rows: Ints
    events: int
    due_ms: int


class Mapped(msgspec.Struct):
    """What a batch gave: events in the order of their rows, the row of each, and the rows at fault by their number.

    ``which`` says which of the source's events each one is; ``blames`` says of each reason which cell was the first to
    give it; ``ahead`` which events are still to come; ``met`` which conditions some row met.
    """

    events: pa.Table
    rows: Ints
    which: Ints
    faults: dict[int, tuple[str, Words]]
    blames: dict[Words, Blame]
    ahead: Ahead
    met: Met

    def without(self, left: Flags) -> Mapped:
        """Return the same without the events of the rows that are ``left`` out."""
        kept = ~left[self.rows]
        events = self.events.filter(pa.array(kept))
        return Mapped(events, self.rows[kept], self.which[kept], self.faults, self.blames, self.ahead, self.met)


class Mapping:
    """How the rows of one source become raw events.

    Args:
        source: The source.
        blueprint: What is declared; anything else is dropped here.
        zone: The zone of local times for which the source names none.
        joined: The rows of its lookup, if it has one.
        now_ms: The present; what is dated later than a day after it has not happened yet.
    """

    def __init__(self, source: Source, blueprint: Blueprint, zone: str, joined: Joined | None, now_ms: int) -> None:
        self.source = source
        self.kinds = blueprint.field_kinds()
        self.zone = zone
        self.joined = joined
        self.latest_ms = now_ms + DAY_MS
        self.signals = SignalReader(blueprint)
        purposes = tuple(purpose.id for purpose in blueprint.purposes)
        self.schema = raw_schema(dict(self.kinds), blueprint.objects, purposes)

    def map_rows(self, raw: RawRows, keys: Ints) -> Mapped:
        """Return the events of a batch whose rows have ``keys``; a row with one fault gives no event at all."""
        return _Batch(self, raw, keys).events()


class _Batch:
    """One batch on its way: its cleaned columns, and the faults found so far."""

    def __init__(self, mapping: Mapping, raw: RawRows, keys: Ints) -> None:
        self.mapping = mapping
        self.source = mapping.source
        self.raw = raw
        self.keys = keys
        self.faults: dict[int, tuple[str, Words]] = {}
        self.blames: dict[Words, Blame] = {}
        self._met: dict[Condition, dict[str, int] | None] = {}
        self._ahead: list[tuple[str, Flags, int]] = []
        self._texts: dict[str, pa.Array] = {}
        self._times: dict[Time, tuple[Ints, Flags]] = {}

    def events(self) -> Mapped:
        shared = self._shared()
        made = [self._event(event, shared) for event in self.source.events]
        self._refuse_rows_ahead(np.logical_or.reduce([happened for _, happened in made]))
        good = np.ones(self.raw.count, bool)
        good[list(self.faults)] = False
        tables, rows = [], []
        for columns, happened in made:
            kept = np.flatnonzero(happened & good)
            tables.append(self._table(columns, kept))
            rows.append(kept)
        events, places = pa.concat_tables(tables), np.concatenate(rows)
        which = np.repeat(np.arange(len(made)), [len(kept) for kept in rows])
        if len(made) > 1:
            order = np.argsort(places, kind="stable")
            events, places, which = events.take(pa.array(order)).combine_chunks(), places[order], which[order]
        return Mapped(events, places, which, self.faults, self.blames, self._gather_ahead(good), self._met)

    def _refuse_rows_ahead(self, given: Flags) -> None:
        """Fault the rows that give no event and would only give some in the future."""
        for column, rows, _ in self._ahead:
            self._fault(rows & ~given, "date_implausible", column, _date_ahead, blamed=False)

    def _gather_ahead(self, good: Flags) -> Ahead:
        marks, events = np.zeros(self.raw.count, np.int64), 0
        for index, (column, rows, _) in enumerate(self._ahead):
            mark = blake2b(f"{index} {column}".encode(), digest_size=8).digest()
            marks[rows] ^= int.from_bytes(mark, "little") >> 1
            events += int((rows & good).sum())
        return Ahead(marks, events, min((due for _, _, due in self._ahead if due), default=0))

    def _shared(self) -> dict[str, pa.Array]:
        """Return the columns that all events of a row have in common."""
        columns = {f"id_{kind}": self._text(column) for kind, column in self.source.ids.items()}
        columns |= {f"object_{kind}": self._text(column) for kind, column in self.source.objects.items()}
        for purpose, choice in self.source.consent.items():
            columns[f"consent_{purpose}"] = self._choice(choice)
        columns |= self._signals(columns)
        everywhere = np.ones(self.raw.count, bool)
        return columns | self._fields(self.source.fields, everywhere)

    def _event(self, event: SourceEvent, shared: dict[str, pa.Array]) -> tuple[dict[str, pa.Array], Flags]:
        """Return the columns of one event, and the rows in which it happened."""
        meant = self._condition(event.when)
        time = self.source.event_time(event)
        assert time is not None  # noqa: S101 - the check of sources refuses an event without a time
        moments, happened = self._moments(time, meant, empty_is_fault=event.time is None)
        names = self._name(event.name, happened)
        columns = {**shared, **self._fields(event.fields, happened)}
        columns["name"] = names
        columns["occurred_ms"] = pa.array(moments)
        return columns, happened

    def _table(self, columns: dict[str, pa.Array], rows: Ints) -> pa.Table:
        whole = len(rows) == self.raw.count
        taken = None if whole else pa.array(rows)
        arrays = []
        for field in self.mapping.schema:
            if field.name == "source":
                arrays.append(pa.repeat(pa.scalar(self.source.source, pa.string()), len(rows)))
            elif field.name in ("row_key", "line"):
                numbers = self.keys if field.name == "row_key" else self.raw.lines
                arrays.append(pa.array(numbers if whole else numbers[rows]))
            elif field.name in columns:
                values = columns[field.name]
                arrays.append(values if taken is None else values.take(taken))
            else:
                arrays.append(pa.nulls(len(rows), field.type))
        return pa.Table.from_arrays(arrays, schema=self.mapping.schema)

    def _text(self, column: str) -> pa.Array:
        """Return a column without the space around its values; an empty value is null."""
        if column not in self._texts:
            joined = self.mapping.joined
            if joined and column in joined.columns:
                values = joined.values(column, self._text(joined.on))
            else:
                values = clean(self.raw.columns[column])
            self._texts[column] = values
        return self._texts[column]

    def _fields(self, fields: dict[str, FieldColumn], rows: Flags) -> dict[str, pa.Array]:
        columns = {}
        for name, mapped in fields.items():
            kind = self.mapping.kinds.get(name)
            if kind is None:
                continue
            values = self._text(mapped.column)
            columns[f"field_{name}"] = self._numbers(mapped, values, rows) if kind == "number" else values
        return columns

    def _numbers(self, mapped: FieldColumn, values: pa.Array, rows: Flags) -> pa.Array:
        factor = unit_factor(mapped.unit, mapped.to)
        numbers, read = parse_numbers(values, self.source.csv.decimal, 1.0 if factor is None else factor)
        unread = rows & np.asarray(pc.is_valid(values)) & ~read
        self._fault(unread, "number_unreadable", mapped.column, _number_unreadable)
        return pa.array(numbers, mask=~read)

    def _moments(self, time: Time, meant: Flags, empty_is_fault: bool) -> tuple[Ints, Flags]:
        values = self._text(time.column)
        if time not in self._times:
            self._times[time] = parse_dates(values, time.format, time.zone or self.mapping.zone)
        moments, read = self._times[time]
        filled = np.asarray(pc.is_valid(values))
        if empty_is_fault:
            self._fault(meant & ~filled, "time_missing", time.column, _time_missing)
        self._fault(meant & filled & ~read, "date_unreadable", time.column, _date_unreadable)
        self._fault(meant & read & (moments < EARLIEST_MS), "date_implausible", time.column, _date_too_early)
        ahead = meant & read & (moments > self.mapping.latest_ms)
        due_ms = int(moments[ahead].min()) - DAY_MS if ahead.any() else 0
        self._ahead.append((time.column, ahead, due_ms))
        return moments, meant & filled & ~ahead

    def _condition(self, when: Condition | None) -> Flags:
        if when is None:
            return np.ones(self.raw.count, bool)
        values = self._text(when.column)
        if not when.values:
            return np.asarray(pc.is_valid(values))
        met = np.asarray(pc.is_in(values, pa.array(when.values, pa.string())))
        self._met[when] = None if met.any() else _count_values(values)
        return met

    def _choice(self, choice: Choice) -> pa.Array:
        values = pc.utf8_lower(self._text(choice.column))
        yes = pa.array([answer.strip().lower() for answer in choice.yes], pa.string())
        return pc.if_else(pc.is_valid(values), pc.is_in(values, yes), pa.scalar(None, pa.bool_()))

    def _signals(self, choices: dict[str, pa.Array]) -> dict[str, pa.Array]:
        """Return the columns that signals give, the choices that they make stricter included."""
        columns: dict[str, pa.Array] = {}
        named = self.source.signals
        if notice := named.get("notice"):
            columns["choice_notice"] = self._text(notice)
        strings = self._text(named["tcf"]).to_pylist() if "tcf" in named else None
        modes = self._text(named["consent_mode"]).to_pylist() if "consent_mode" in named else None
        said = self.mapping.signals.read(strings, modes, self.raw.count)
        for purpose, choice in said.choices.items():
            own = choices.get(f"consent_{purpose}")
            columns[f"consent_{purpose}"] = choice if own is None else combine([own, choice])
        if said.choices:
            columns["choice_evidence"] = said.evidence
            columns["choice_made_ms"] = pa.array(said.made_ms, mask=said.made_ms == 0)
        return columns

    def _name(self, name: EventName, rows: Flags) -> pa.Array:
        if name.text is not None:
            return pa.repeat(pa.scalar(name.text, pa.string()), self.raw.count)
        parts = (name.column,) if name.column else name.join
        pieces = [part if is_punctuation(part) else pc.fill_null(self._text(part), "") for part in parts]
        joined = clean(pc.binary_join_element_wise(*pieces, "")) if len(pieces) > 1 else clean(pieces[0])
        filled = np.zeros(self.raw.count, bool)
        for column in name.columns():
            filled |= np.asarray(pc.is_valid(self._text(column)))
        self._fault(rows & ~filled, "name_missing", name.columns()[0], _name_missing)
        return joined

    def _fault(
        self, rows: Flags, code: str, column: str, reason: Callable[[str], Words], *, blamed: bool = True
    ) -> None:
        """Note the first fault of each row; the reason names the column and never its value, which may be personal."""
        told = reason(column)
        for row in np.flatnonzero(rows).tolist():
            if row not in self.faults:
                self.faults[row] = (code, told)
                if blamed and told not in self.blames:
                    self.blames[told] = Blame(code, column, self._text(column)[row].as_py())


def _count_values(values: pa.Array) -> dict[str, int]:
    """Return the values that stand in a column and how often, one more at most than are ever told."""
    counted = pc.value_counts(values.drop_null()).slice(0, MOST_VALUES + 1)
    return {str(one["values"]): int(one["counts"]) for one in counted.to_pylist()}


def _number_unreadable(column: str) -> Words:
    return Words(f"La colonne « {column} » n'est pas un nombre.", f"The column “{column}” is not a number.")


def _date_unreadable(column: str) -> Words:
    return Words(
        f"La colonne « {column} » n'est pas une date au format attendu.",
        f"The column “{column}” is not a date in the expected format.",
    )


def _date_too_early(column: str) -> Words:
    return Words(
        f"La date de la colonne « {column} » est avant 1900.", f"The date in the column “{column}” is before 1900."
    )


def _date_ahead(column: str) -> Words:
    return Words(
        f"La date de la colonne « {column} » est dans le futur, et la ligne ne donne aucun événement passé.",
        f"The date in the column “{column}” is in the future, and the row gives no event of the past.",
    )


def _time_missing(column: str) -> Words:
    return Words(f"La colonne « {column} », qui date la ligne, est vide.", f"The row's time, “{column}”, is empty.")


def _name_missing(column: str) -> Words:
    return Words(
        f"La colonne « {column} », qui nomme l'événement, est vide.", f"The event's name, “{column}”, is empty."
    )
