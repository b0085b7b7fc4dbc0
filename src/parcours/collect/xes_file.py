"""XES event logs as rows: one row an event, the attributes of its trace beside its own under `case:`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from parcours.collect.faults import file_unreadable
from parcours.collect.files import open_bytes
from parcours.collect.rows import BATCH_ROWS, RawRows

BLOCK_BYTES = 1 << 20
CASE = "case:"
INDEX = "event:index"
_VALUES = frozenset(("string", "date", "int", "float", "boolean", "id"))
_HEAD_EVENTS = 1000


class _Event:
    __slots__ = ("cells", "line")

    def __init__(self, line: int) -> None:
        self.line = line
        self.cells: dict[str, str] = {}


class XesRows:
    """One XES log, gzipped or not (IEEE 1849).

    Columns are the keys of event attributes, trace attributes under ``case:<key>``, and ``event:index``, the place
    of the event in its trace from 1. Attributes inside attributes, lists and globals are left out.
    """

    complete = False

    def __init__(self, path: Path) -> None:
        self.path = path
        found: dict[str, None] = {}
        for count, event in enumerate(self._events()):
            found.update(dict.fromkeys(event.cells))
            if count >= _HEAD_EVENTS:
                break
        self.columns = tuple(found)
        self._seen = 0

    def batches(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Read the log a batch at a time."""
        events: list[_Event] = []
        for event in self._events():
            events.append(event)
            if len(events) == BATCH_ROWS:
                yield self._raw_rows(events, wanted)
                events = []
        if events:
            yield self._raw_rows(events, wanted)

    def _raw_rows(self, events: list[_Event], wanted: Sequence[str]) -> RawRows:
        columns = {name: pa.array([event.cells.get(name) for event in events], pa.string()) for name in wanted}
        lines = np.array([event.line for event in events], np.int64)

        def original(row: int) -> bytes:
            return json.dumps(events[row].cells, ensure_ascii=False).encode()

        return RawRows(lines, columns, [], original, self._seen)

    def _events(self) -> Iterator[_Event]:
        reading = _Reading()
        with open_bytes(self.path) as stream:
            final = False
            while not final:
                block = stream.read(BLOCK_BYTES)
                final = not block
                try:
                    reading.parser.Parse(block, final)
                except (expat.ExpatError, _RefusedError) as fault:
                    raise file_unreadable(self.path, str(fault), reading.parser.CurrentLineNumber) from fault
                self._seen = stream.place()
                yield from reading.finished
                reading.finished.clear()


class _RefusedError(Exception):
    """A document type: XES has none, and its entities can be made to exhaust memory or read other files."""


class _Reading:
    """One walk through a log; whole traces are finished, so that attributes that follow the events count too."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.finished: list[_Event] = []
        self._path: list[str] = []
        self._trace: list[_Event] = []
        self._case: dict[str, str] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        parent = self._path[-1] if self._path else ""
        self._path.append(tag)
        if tag == "event":
            self._trace.append(_Event(self.parser.CurrentLineNumber))
        elif tag in _VALUES and "key" in attributes:
            if parent == "event":
                self._trace[-1].cells[attributes["key"]] = attributes.get("value", "")
            elif parent == "trace":
                self._case[CASE + attributes["key"]] = attributes.get("value", "")

    def _end(self, _name: str) -> None:
        tag = self._path.pop()
        if tag == "trace" or (tag == "event" and "trace" not in self._path):
            for index, event in enumerate(self._trace, start=1):
                event.cells = {**self._case, **event.cells, INDEX: str(index)}
            self.finished += self._trace
            self._trace, self._case = [], {}

    def _refuse(self, *_: object) -> None:
        raise _RefusedError("DOCTYPE")
