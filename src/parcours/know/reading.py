"""The rows of the parts that one purpose may see: checked, filtered, and as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint
from parcours.engine.store.parts import Part, verified
from parcours.know.gate.admission import Standing, is_stamped
from parcours.know.identity.people import People
from parcours.know.mapping import ABSENT, Chunk, Codes, EventMap, code_texts
from parcours.know.omissions import Withheld
from parcours.know.pseudonyms import Numbers

Mask = npt.NDArray[np.bool_]


class Permission(msgspec.Struct, frozen=True):
    """What a purpose may see: its bit as stamped at the door, who allows it now, and since when rows are kept.

    ``restricted`` are those whose data are not used because they asked so, none of whom is ``allowed``. ``hidden``
    fields are not read for it at all, those in ``fields_since_ms`` only from a moment on.
    """

    bit: int
    pseudonyms: Numbers
    person: npt.NDArray[np.int32]
    allowed: Mask
    since_ms: int
    restricted: Mask
    hidden: frozenset[str] = frozenset()
    fields_since_ms: Mapping[str, int] = {}


class Reading:
    """One pass over the parts under one `Permission`; ``expired`` and `withheld` count what was passed over."""

    def __init__(self, folder: Path, blueprint: Blueprint, events: EventMap, permission: Permission) -> None:
        self._folder = folder
        self._events = events
        self._permission = permission
        kinds = {name: kind for name, kind in blueprint.field_kinds().items() if name not in permission.hidden}
        self._columns = [f"object_{kind}" for kind in blueprint.objects]
        self._columns += [
            f"text_{field}" if kind == "text" else f"field_{field}"
            for field, kind in kinds.items()
            if kind != "personal"
        ]
        self._standing = Standing(permission.pseudonyms, permission.person, permission.allowed)
        self.expired = 0
        self._withheld_events = 0
        # The last place stands for nobody.
        self._present = np.zeros(len(permission.allowed) + 1, bool)
        self._stamped = self._present.copy()

    def chunks(self, parts: tuple[Part, ...]) -> Iterator[Chunk]:
        """Yield the permitted rows of each of ``parts``.

        Raises:
            ParcoursError: ``part_damaged``.
        """
        for part, path in zip(parts, verified(self._folder, parts), strict=True):
            held = pq.read_metadata(path)
            # A part that is older than a declaration has no such column.
            texts = [name for name in held.schema.names if name == "name" or name.startswith("field_")]
            file = pq.ParquetFile(path, metadata=held, read_dictionary=texts)
            for group in range(file.num_row_groups):
                chunk = self._read(file, group, part.bucket)
                if len(chunk.event_no):
                    yield chunk

    def withheld(self) -> Withheld:
        """Return how many people and events of the chunks so far had no permission."""
        present, allowed, restricted = self._present[:-1], self._permission.allowed, self._permission.restricted
        early = present & allowed & ~self._stamped[:-1]
        return Withheld(
            everyone=int(present.sum()),
            people=int((present & ~allowed & ~restricted).sum()),
            early=int(early.sum()),
            events=self._withheld_events,
            restricted=int((present & restricted).sum()),
        )

    def _read(self, file: pq.ParquetFile, group: int, bucket: int) -> Chunk:
        base = file.read_row_group(
            group, ["event_no", "name", "occurred_ms", "subject", "permitted"], use_threads=False
        )
        person, keep = self._admit(base, bucket)
        rest = file.read_row_group(group, _filled(file, group, self._columns), use_threads=False)
        names = code_texts(base.column("name"), self._events.names, grow=False)
        objects: dict[str, Numbers] = {}
        texts: dict[str, Numbers] = {}
        categories: dict[str, Codes] = {}
        numbers: dict[str, npt.NDArray[np.float64]] = {}
        for column in rest.column_names:
            sort, name = column.split("_", 1)
            values = rest.column(column)
            if sort == "object":
                objects[name] = _take(_integers(values), keep)
            elif sort == "text":
                texts[name] = _take(_integers(values), keep)
            elif name in self._events.categories:
                categories[name] = _take(code_texts(values, self._events.categories[name], grow=True), keep)
            else:
                numbers[name] = _take(np.asarray(values.combine_chunks().cast(pa.float64()).fill_null(np.nan)), keep)
        occurred_ms: Numbers = _take(_integers(base.column("occurred_ms")), keep)
        for name, since_ms in self._permission.fields_since_ms.items():
            past = occurred_ms < since_ms
            for held, nothing in ((texts, ABSENT), (categories, ABSENT), (numbers, np.nan)):
                if name in held:
                    held[name] = np.where(past, nothing, held[name]).astype(held[name].dtype)
        return Chunk(
            event_no=_take(_integers(base.column("event_no")), keep),
            occurred_ms=occurred_ms,
            person=_take(person, keep),
            name=_take(names, keep),
            objects=objects,
            categories=categories,
            numbers=numbers,
            texts=texts,
        )

    def _admit(self, base: pa.Table, bucket: int) -> tuple[Codes, Mask | None]:
        """Return the profile of each row, and which rows may be seen (nothing when all of them may)."""
        permission = self._permission
        subject = _integers(base.column("subject"))
        person, keep = self._standing.of(bucket, subject)
        keep |= subject == ABSENT
        keep &= is_stamped(_integers(base.column("permitted")), permission.bit)
        self._present[person] = True
        self._stamped[person[keep]] = True
        self._withheld_events += int((~keep).sum())
        fresh = _integers(base.column("occurred_ms")) >= permission.since_ms
        self.expired += int((keep & ~fresh).sum())
        keep &= fresh
        return person, None if keep.all() else keep


def count_present(folder: Path, parts: tuple[Part, ...], people: People) -> int:
    """Return how many of ``people`` have an event in ``parts``: the vault also knows those whose events were replaced.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    present = np.zeros(people.count, bool)
    subjects: dict[int, list[pa.Array]] = {}
    for part, path in zip(parts, verified(folder, parts), strict=True):
        column = pq.ParquetFile(path).read(columns=["subject"]).column(0)
        subjects.setdefault(part.bucket, []).append(pc.unique(column.drop_null()))
    # A subject lies in one bucket alone, so that few of them stand in memory at once.
    for held in subjects.values():
        named = np.unique(np.concatenate([np.asarray(one) for one in held]))
        present[people.person[np.isin(people.pseudonyms, named)]] = True
    return int(present.sum())


def _filled(file: pq.ParquetFile, group: int, columns: list[str]) -> list[str]:
    """Return those of ``columns`` that hold anything in this row group, as its statistics tell."""
    held = file.metadata.row_group(group)
    filled = []
    for number in range(held.num_columns):
        column = held.column(number)
        empty = column.statistics is not None and column.statistics.null_count == column.num_values
        if column.path_in_schema in columns and not empty:
            filled.append(column.path_in_schema)
    return filled


def _take(values: npt.NDArray[np.generic], keep: Mask | None) -> npt.NDArray:  # type: ignore[type-arg]
    return values if keep is None else values[keep]


def _integers(column: pa.ChunkedArray) -> Numbers:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], column.type)
    return np.asarray(array.fill_null(ABSENT) if array.null_count else array)
