"""From events to the blueprint: which touchpoint, answer, operation or payment each event is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parcours.blueprint.records import Blueprint, EventMatch
from parcours.know.pseudonyms import Numbers

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

ABSENT = -1


class Vocabulary:
    """Texts as small numbers, in the order in which they turn up."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.values: list[str] = []
        self._codes: dict[str, int] = {}
        for value in known:
            self.code(value)

    def code(self, value: str) -> int:
        """Return the number of ``value``, giving it the next one when it is new."""
        code = self._codes.setdefault(value, len(self.values))
        if code == len(self.values):
            self.values.append(value)
        return code

    def find(self, value: str) -> int:
        """Return the number of ``value``, or `ABSENT`."""
        return self._codes.get(value, ABSENT)


class Chunk(msgspec.Struct, frozen=True):
    """Rows that one purpose may see, column by column.

    ``person`` is the profile, `ABSENT` for an event about nobody. ``name`` and ``categories`` hold codes of their
    vocabularies, ``objects`` and ``texts`` pseudonyms and vault references, all `ABSENT` where there is none;
    ``numbers`` NaN. A column that the rows do not have is not there.
    """

    event_no: Numbers
    occurred_ms: Numbers
    person: Codes
    name: Codes
    objects: Mapping[str, Numbers]
    categories: Mapping[str, Codes]
    numbers: Mapping[str, npt.NDArray[np.float64]]
    texts: Mapping[str, Numbers]


class EventMap:
    """The blueprint's events, compiled against the vocabularies of one reading."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.names = Vocabulary(match.name for match in blueprint.matches())
        self.categories: dict[str, Vocabulary] = {
            field: Vocabulary() for field, kind in blueprint.field_kinds().items() if kind == "category"
        }
        self._touchpoints: dict[int, list[tuple[int, EventMatch]]] = {}
        for number, touchpoint in enumerate(blueprint.touchpoints):
            for match in touchpoint.events:
                self._touchpoints.setdefault(self.names.find(match.name), []).append((number, match))
        # An event name that means one touchpoint whatever its fields is looked up; the others are compared.
        self._plain = np.full(len(self.names.values) + 1, ABSENT, np.int16)
        for name, rules in self._touchpoints.items():
            if len(rules) == 1 and not rules[0][1].where:
                self._plain[name] = rules[0][0]

    def matches(self, chunk: Chunk, match: EventMatch) -> Mask:
        """Return which rows of ``chunk`` are the event ``match``."""
        found: Mask = chunk.name == self.names.find(match.name)
        for field, values in match.where.items():
            if not found.any():
                break
            codes = chunk.categories.get(field)
            if codes is None:
                return np.zeros(len(chunk.name), bool)
            wanted = [self.categories[field].find(value) for value in values]
            found &= np.isin(codes, [code for code in wanted if code != ABSENT])
        return found

    def touchpoints(self, chunk: Chunk) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int16]]:
        """Return (row, touchpoint) wherever somebody meets one, in row order; a row may meet several."""
        plain = self._plain[chunk.name]
        rows = [np.flatnonzero((plain != ABSENT) & (chunk.person != ABSENT))]
        codes = [plain[rows[0]]]
        for rules in self._touchpoints.values():
            if len(rules) == 1 and not rules[0][1].where:
                continue
            met: dict[int, Mask] = {}
            for number, match in rules:
                found = self.matches(chunk, match) & (chunk.person != ABSENT)
                met[number] = met[number] | found if number in met else found
            for number, found in met.items():
                rows.append(np.flatnonzero(found))
                codes.append(np.full(len(rows[-1]), number, np.int16))
        every, touchpoint = np.concatenate(rows), np.concatenate(codes)
        order = np.argsort(every, kind="stable")
        return every[order], touchpoint[order]


def code_texts(column: pa.ChunkedArray, vocabulary: Vocabulary, *, grow: bool) -> Codes:
    """Return the codes of a dictionary column in ``vocabulary``; a value outside it is `ABSENT` unless it may grow."""
    coded = column.combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0)
    if not isinstance(coded, pa.DictionaryArray):
        coded = coded.cast(pa.string()).dictionary_encode()
    values = coded.dictionary.to_pylist()
    codes = [vocabulary.code(value) if grow else vocabulary.find(value) for value in values]
    table = np.array([*codes, ABSENT], np.int32)
    indices = coded.indices
    spread: Codes = table[np.asarray(indices.fill_null(len(values)) if indices.null_count else indices)]
    return spread


def meet(blueprint: Blueprint, events: pa.Table, named: Mask) -> Numbers:
    """Return the first touchpoint that each of ``events`` meets, `ABSENT` where it meets none or names nobody."""
    compiled, chunk = _compile(blueprint, events, named)
    rows, touchpoints = compiled.touchpoints(chunk)
    found = np.full(events.num_rows, ABSENT, np.int64)
    found[rows[::-1]] = touchpoints[::-1]
    return found


def match_operations(blueprint: Blueprint, events: pa.Table) -> list[str | None]:
    """Return the first operation that each of ``events`` is, nothing where it is none."""
    compiled, chunk = _compile(blueprint, events, np.zeros(events.num_rows, bool))
    found: list[str | None] = [None] * events.num_rows
    for operation in reversed(blueprint.operations):
        for match in operation.events:
            for row in np.flatnonzero(compiled.matches(chunk, match)).tolist():
                found[row] = operation.id
    return found


def _compile(blueprint: Blueprint, events: pa.Table, named: Mask) -> tuple[EventMap, Chunk]:
    # With vocabularies of its own: the values of other events need not be kept.
    compiled = EventMap(blueprint)
    chunk = Chunk(
        event_no=np.arange(events.num_rows),
        occurred_ms=np.asarray(events.column("occurred_ms")),
        person=np.where(named, 0, ABSENT).astype(np.int32),
        name=code_texts(events.column("name"), compiled.names, grow=False),
        objects={},
        categories={
            field: code_texts(events.column(f"field_{field}"), vocabulary, grow=True)
            for field, vocabulary in compiled.categories.items()
            if f"field_{field}" in events.column_names
        },
        numbers={},
        texts={},
    )
    return compiled, chunk
