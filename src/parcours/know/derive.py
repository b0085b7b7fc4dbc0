"""The derived tables of one purpose, made from the rows that it may see and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint
from parcours.engine.sql.step import Kind
from parcours.engine.store.parts import Part
from parcours.know.gathering import UNIT_MS, Gathering
from parcours.know.journeys import ROWS_AT_ONCE, Places, cut_between_customers, find_latest, order_touches, walk
from parcours.know.mapping import ABSENT, Codes, EventMap
from parcours.know.omissions import LeftOut, Withheld
from parcours.know.once import NO_MONEY, add_up, find_first
from parcours.know.pseudonyms import Numbers
from parcours.know.reading import Permission, Reading

LAYOUT = 4
"""The version of these tables: a change of them derives everything again."""

_NEVER_NULL = {"customer", "event_no", "occurred_ms", "touchpoint", "stage", "channel", "step", "session", "operation"}
_REPEATING = {"customer", "step", "session", "value_cents"}
"""Columns worth pressing: times, numbers and pseudonyms would take a third of the writing to lose a fifth of it."""

_SOUGHT = ["customer", "occurred_ms"]
"""Columns by whose least and greatest value a reader can pass over a piece."""

Rows = npt.NDArray[np.intp]


class Summary(msgspec.Struct, frozen=True):
    """What stands in the tables of one purpose, and what was left out of them."""

    customers: int
    period: tuple[int, int] | None
    left_out: LeftOut
    columns: dict[str, dict[str, Kind]]


class Touches(msgspec.Struct, frozen=True):
    """Touches as they were gathered; ``order`` says how they follow one another, customer by customer.

    Where several events are one touch, ``order`` holds the row of the first alone, and ``stands_for[row]`` is that row.
    """

    order: Places
    stands_for: Places | None
    customer: Codes
    occurred_ms: Numbers
    touchpoint: npt.NDArray[np.int16]
    event_no: Numbers
    site: Codes
    cents: Numbers
    objects: dict[str, Numbers]


def derive(folder: Path, blueprint: Blueprint, permission: Permission, parts: tuple[Part, ...], draft: Path) -> Summary:
    """Write every table of one purpose into the folder ``draft``.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    events = EventMap(blueprint)
    reading = Reading(folder, blueprint, events, permission)
    people = int(permission.person.max(initial=-1)) + 1
    gathered = Gathering(blueprint, events, people, sum(part.rows for part in parts), draft)
    for chunk in reading.chunks(parts):
        gathered.add(chunk)
    return _Tables(blueprint, events, gathered, draft).write(reading.expired, reading.withheld())


class _Tables:
    """Writes what was gathered; customers are numbered anew, for a hole in the numbers would betray a hidden one."""

    def __init__(self, blueprint: Blueprint, events: EventMap, gathered: Gathering, draft: Path) -> None:
        self._blueprint = blueprint
        self._gathered = gathered
        self._draft = draft
        self._seen = gathered.seen[:-1]
        self._code = np.where(self._seen, np.cumsum(self._seen) - 1, ABSENT).astype(np.int32)
        site = blueprint.panel.site if blueprint.panel else None
        self._sites = events.categories[site].values if site else []
        self._groups = {
            f"group_{group.id}": (gathered.groups[group.id].code[self._seen], events.categories[group.field].values)
            for group in blueprint.groups
        }
        self._columns: dict[str, dict[str, Kind]] = {}

    def write(self, expired: int, withheld: Withheld) -> Summary:
        """Write all four tables."""
        gathered = self._gathered
        touches = self._sort_touches()
        customer = touches.customer if touches.stands_for is None else touches.customer[touches.order]
        after = np.cumsum(np.bincount(customer, minlength=int(self._seen.sum())))
        self._write("touches", cut_between_customers(after), lambda rows: self._touch_columns(touches, rows))
        self._write_whole("answers", self._tie_answers(touches))
        self._write_whole("operations", self._finish_operations())
        self._write_whole("customers", self._count_customers(touches, after))
        period = (
            None if gathered.first_ms is None or gathered.last_ms is None else (gathered.first_ms, gathered.last_ms)
        )
        answered = {self._blueprint.touchpoints[number].id: told for number, told in gathered.answered.items()}
        left_out = LeftOut(expired, withheld, answered, gathered.conditions.unmet())
        return Summary(int(self._seen.sum()), period, left_out, self._columns)

    def _sort_touches(self) -> Touches:
        columns = self._gathered.touches
        customer: Codes = self._code[columns.take("person", np.int32)]
        occurred_ms, event_no = columns.take("occurred_ms", np.int64), columns.take("event_no", np.int64)
        touchpoint, cents = columns.take("touchpoint", np.int16), columns.take("cents", np.int64)
        objects = {kind: columns.take(f"object_{kind}", np.int64) for kind in self._blueprint.objects}
        order = order_touches(customer, occurred_ms, event_no, touchpoint)
        stands_for = self._merge(order, customer, touchpoint, cents, objects)
        return Touches(
            order=order if stands_for is None else order[stands_for[order] == order],
            stands_for=stands_for,
            customer=customer,
            occurred_ms=occurred_ms,
            touchpoint=touchpoint,
            event_no=event_no,
            site=columns.take("site", np.int32),
            cents=cents,
            objects=objects,
        )

    def _merge(
        self,
        order: Places,
        customer: Codes,
        touchpoint: npt.NDArray[np.int16],
        cents: Numbers,
        objects: dict[str, Numbers],
    ) -> Places | None:
        """Put what is one touch an object on its first row, money and all; return the row that stands for each."""
        stands_for: Places | None = None
        for number, place in enumerate(self._blueprint.touchpoints):
            if place.once_per is None:
                continue
            if stands_for is None:
                stands_for = np.arange(len(order), dtype=np.int32)
            there = order[touchpoint[order] == number]
            about = objects[place.once_per][there]
            there, about = there[about != ABSENT], about[about != ABSENT]
            listed, starts = find_first(customer[there], about)
            rows = there[listed]
            stands_for[rows] = np.repeat(rows[starts], np.diff(np.append(starts, len(rows))))
            cents[rows[starts]] = add_up(cents[rows], starts)
        return stands_for

    def _touch_columns(self, touches: Touches, rows: slice) -> dict[str, pa.Array]:
        """Return the touches ``rows`` of the order, all those of the customers that are among them."""
        # To clip places that are all there is the cheapest way to take them.
        order = touches.order[rows].astype(np.intp)
        customer = touches.customer.take(order, mode="clip")
        occurred_ms = touches.occurred_ms.take(order, mode="clip")
        touchpoint = touches.touchpoint.take(order, mode="clip")
        path = walk(customer, occurred_ms, touchpoint)
        cents = touches.cents.take(order, mode="clip")
        return {
            "customer": pa.array(customer),
            "event_no": pa.array(touches.event_no.take(order, mode="clip")),
            "occurred_ms": pa.array(occurred_ms),
            "touchpoint": pa.array(touchpoint),
            "stage": pa.array(self._places("stages", "stage")[touchpoint]),
            "channel": pa.array(self._places("channels", "channel")[touchpoint]),
            "previous": pa.array(path.previous, mask=path.begins),
            "gap_ms": pa.array(path.gap_ms, mask=path.begins),
            "step": pa.array(path.step),
            "session": pa.array(path.session),
            "site": _texts(touches.site.take(order, mode="clip"), self._sites),
            "value_cents": pa.array(cents, mask=cents == NO_MONEY),
            **{f"object_{kind}": _known(codes.take(order, mode="clip")) for kind, codes in touches.objects.items()},
            **self._group_columns(customer),
        }

    def _places(self, list_name: str, field: str) -> npt.NDArray[np.int16]:
        """Return the place of each touchpoint's stage or channel in the blueprint's own order."""
        order = {record.id: place for place, record in enumerate(getattr(self._blueprint, list_name))}
        return np.array([order[getattr(touchpoint, field)] for touchpoint in self._blueprint.touchpoints], np.int16)

    def _group_columns(self, customer: Codes) -> dict[str, pa.Array]:
        return {name: _texts(codes[customer], values) for name, (codes, values) in self._groups.items()}

    def _tie_answers(self, touches: Touches) -> dict[str, pa.Array]:
        columns = self._gathered.answers
        customer = self._code[columns.take("person", np.int32)]
        event_no, occurred_ms = columns.take("event_no", np.int64), columns.take("occurred_ms", np.int64)
        touchpoint, score = columns.take("touchpoint", np.int16), columns.take("score", np.float64)
        tie, text_ref = columns.take("tie", np.int64), columns.take("text_ref", np.int64)
        site = columns.take("site", np.int32)
        touch = np.full(len(customer), -1, np.intp)
        for number in np.unique(touchpoint).tolist():
            mine = np.flatnonzero(touchpoint == number)
            touch[mine] = self._find_touches(touches, number, customer[mine], tie[mine], occurred_ms[mine])
        # Where the scale is wrong, answers that happen to stand on it would give a false score.
        misjudged = [number for number, told in self._gathered.answered.items() if told.is_misjudged]
        order = np.lexsort((touchpoint, event_no, occurred_ms, customer))
        order = order[~np.isin(touchpoint[order], misjudged)]
        customer, event_no, occurred_ms, touch = customer[order], event_no[order], occurred_ms[order], touch[order]
        tied = touch >= 0
        touch_no, touch_ms = _at(touches.event_no, touch), _at(touches.occurred_ms, touch)
        met_site = np.where(tied, _at(touches.site, touch), ABSENT)
        shown_site: Codes = np.where(met_site == ABSENT, site[order], met_site).astype(np.int32)
        return {
            "customer": pa.array(customer),
            "event_no": pa.array(event_no),
            "occurred_ms": pa.array(occurred_ms),
            "touchpoint": pa.array(touchpoint[order]),
            "score": pa.array(score[order]),
            "touch_no": pa.array(touch_no, mask=~tied),
            "touch_ms": pa.array(touch_ms, mask=~tied),
            "site": _texts(shown_site, self._sites),
            "text_ref": _known(text_ref[order]),
            **self._group_columns(customer),
        }

    def _find_touches(self, touches: Touches, number: int, customer: Codes, tie: Numbers, asked_ms: Numbers) -> Rows:
        """Return the row of the touch that each answer speaks of: by its object, else the latest there in due time."""
        experience = self._blueprint.touchpoints[number].experience
        if experience is None:  # Answers are gathered where there is an experience alone.
            return np.full(len(customer), -1, np.intp)
        there = np.flatnonzero(touches.touchpoint == number)
        found = np.full(len(customer), -1, np.intp)
        named = np.flatnonzero(tie != ABSENT)
        if experience.tie and len(named):
            owner = touches.objects[experience.tie][there]
            met = _look_up(touches, there, owner, tie[named], asked_ms[named])
            found[named] = met if touches.stands_for is None else np.where(met < 0, -1, _at(touches.stands_for, met))
        # Without an object on the answer, the customer's latest touch there.
        rest = np.flatnonzero(tie == ABSENT)
        if touches.stands_for is not None:
            there = there[touches.stands_for[there] == there]
        owner = touches.customer[there].astype(np.int64)
        latest = _look_up(touches, there, owner, customer[rest].astype(np.int64), asked_ms[rest])
        recent = (latest >= 0) & (asked_ms[rest] - _at(touches.occurred_ms, latest) <= experience.within_ms)
        found[rest] = np.where(recent, latest, -1)
        return found

    def _finish_operations(self) -> dict[str, pa.Array]:
        names = ["operation", "event_no", "occurred_ms", "site", "value"]
        names += [f"object_{kind}" for kind in self._blueprint.objects]
        pieces: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in names}
        for number, operation in enumerate(self._blueprint.operations):
            columns = self._gathered.operations[number]
            value, occurred_ms = columns.take("value", np.float64), columns.take("occurred_ms", np.int64)
            tie = columns.take("tie", np.int64)
            keep = np.ones(len(value), bool)
            if operation.measure.until:
                value = self._measure_durations(number, operation.measure.unit, tie, occurred_ms)
                keep = ~np.isnan(value)
            pieces["operation"].append(np.full(int(keep.sum()), number, np.int16))
            pieces["occurred_ms"].append(occurred_ms[keep])
            pieces["value"].append(value[keep])
            for name in names:
                if name not in ("operation", "occurred_ms", "value"):
                    pieces[name].append(columns.take(name, np.int32 if name == "site" else np.int64)[keep])
        whole = {name: np.concatenate(held) if held else np.empty(0, np.int64) for name, held in pieces.items()}
        order = np.lexsort((whole["event_no"], whole["occurred_ms"], whole["operation"]))
        return {
            "operation": pa.array(whole["operation"][order].astype(np.int16)),
            "event_no": pa.array(whole["event_no"][order]),
            "occurred_ms": pa.array(whole["occurred_ms"][order]),
            "site": _texts(whole["site"][order].astype(np.int32), self._sites),
            "value": pa.array(whole["value"][order].astype(np.float64)),
            **{name: _known(whole[name][order]) for name in names[5:]},
        }

    def _measure_durations(self, number: int, unit: str, tie: Numbers, occurred_ms: Numbers) -> npt.NDArray[np.float64]:
        """Return how long each event of operation ``number`` took, in ``unit``, until the first end of its object."""
        ends = self._gathered.ends[number]
        end_tie, end_ms = ends.take("tie", np.int64), ends.take("occurred_ms", np.int64)
        # The earliest end at or after is the latest one before, in time that runs backwards.
        found = find_latest(end_tie, -end_ms, tie, -occurred_ms)
        took = (_at(end_ms, found) - occurred_ms) / UNIT_MS.get(unit, UNIT_MS["h"])
        return np.where((found >= 0) & (tie != ABSENT), took, np.nan)

    def _count_customers(self, touches: Touches, after: Numbers) -> dict[str, pa.Array]:
        """Return one row a customer; ``after`` is where the next one's touches begin in the order."""
        count = len(after)
        customer = np.arange(count, dtype=np.int32)
        times = np.diff(after, prepend=0)
        none = times == 0
        payments = self._gathered.payments
        person, cents = self._code[payments.take("person", np.int32)], payments.take("cents", np.int64)
        # Sums of whole cents stay exact as doubles up to 90 000 milliards.
        value = np.rint(np.bincount(person, weights=cents, minlength=count)).astype(np.int64)
        return {
            "customer": pa.array(customer),
            "first_ms": pa.array(_at(touches.occurred_ms, _at(touches.order, after - times)), mask=none),
            "last_ms": pa.array(_at(touches.occurred_ms, _at(touches.order, after - 1)), mask=none),
            "touches": pa.array(times.astype(np.int32)),
            "value_cents": pa.array(value),
            **self._group_columns(customer),
        }

    def _write_whole(self, name: str, columns: dict[str, pa.Array]) -> None:
        table = pa.table(columns)
        pieces = [slice(start, start + ROWS_AT_ONCE) for start in range(0, max(table.num_rows, 1), ROWS_AT_ONCE)]
        self._write(name, pieces, lambda rows: dict(zip(columns, table[rows].columns, strict=True)))

    def _write(self, name: str, pieces: list[slice], columns: Callable[[slice], dict[str, pa.Array]]) -> None:
        """Write one table piece by piece, so that only one piece of it stands in memory twice."""
        first = pa.table(columns(pieces[0]))
        self._columns[name] = {field.name: _kind(field.type) for field in first.schema}
        schema = pa.schema([field.with_nullable(field.name not in _NEVER_NULL) for field in first.schema])
        # Of few values the places take a few bits each, which pressing would not make fewer.
        coded = [field.name for field in schema if field.type.bit_width <= 16 or pa.types.is_dictionary(field.type)]
        with pq.ParquetWriter(
            self._draft / f"{name}.parquet",
            schema,
            compression={column: "snappy" if column in _REPEATING else "none" for column in schema.names},
            use_dictionary=coded,
            write_statistics=[column for column in _SOUGHT if column in schema.names],
            write_batch_size=1 << 16,
            store_schema=False,
        ) as file:
            file.write_table(first.cast(schema), row_group_size=ROWS_AT_ONCE)
            for rows in pieces[1:]:
                file.write_table(pa.table(columns(rows), schema=schema), row_group_size=ROWS_AT_ONCE)


def _look_up(touches: Touches, there: Rows, owner: Numbers, asked: Numbers, asked_ms: Numbers) -> Rows:
    """Return, among the touches ``there``, the latest of the asked owner at or before the asked time, or -1."""
    wanted = np.asarray(pc.is_in(pa.array(owner), value_set=pa.array(np.unique(asked))))
    there, owner = there[wanted], owner[wanted]
    # Of two at the same millisecond the later customer and event counts, whatever order the parts are read in.
    order = np.lexsort((touches.event_no[there], touches.customer[there]))
    there, owner = there[order], owner[order]
    found = find_latest(owner, touches.occurred_ms[there], asked, asked_ms)
    return np.where(found >= 0, _at(there, found), -1)


def _at(values: npt.NDArray[np.generic], places: Rows) -> npt.NDArray:  # type: ignore[type-arg]
    """Return ``values`` at ``places``; anything at all where a place is none (the caller masks it)."""
    return values[np.clip(places, 0, len(values) - 1)] if len(values) else np.zeros(len(places), values.dtype)


def _texts(codes: Codes, values: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=codes == ABSENT), pa.array(values, pa.string())
    )


def _known(codes: Numbers) -> pa.Array:
    return pa.array(codes, mask=codes == ABSENT)


def _kind(dtype: pa.DataType) -> Kind:
    if pa.types.is_integer(dtype):
        return "int"
    return "float" if pa.types.is_floating(dtype) else "text"
