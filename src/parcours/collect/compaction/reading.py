"""Opened journal batches into raw events: each item of each delivery is exactly one event, or bad with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.calls import Calls
from parcours.collect.compaction.found import Found, Marks
from parcours.collect.compaction.members import Taken
from parcours.collect.compaction.reasons import ENVELOPE_UNREADABLE, TOO_MANY_EVENTS, UNKNOWN_SOURCE, Reason
from parcours.collect.compaction.rows_in import RowsIn, span_of
from parcours.collect.compaction.splitting import Split, alone, split
from parcours.collect.compaction.undeclared import Undeclared
from parcours.collect.door import raw_schema
from parcours.collect.journal.delivery import ROWS, Delivery
from parcours.collect.rows import Ints
from parcours.collect.source import Source
from parcours.settings import Settings
from parcours.words import Words

BLOCK_BYTES: Final = 16 << 20
"""Bodies that are read at once: large enough to be fast, small enough for memory to stay flat."""


class Placed(msgspec.Struct, frozen=True):
    """One opened batch of the journal."""

    batch_no: int
    deliveries: tuple[Delivery, ...]


class Bad(msgspec.Struct, frozen=True):
    """What goes to quarantine.

    Attributes:
        batch_no, place: The offset of the event.
        source: Where it came from.
        code, rule, reason: What is wrong with it, and what to do about it.
        delivery: A delivery that holds this event alone; to replay is to put it back as it is.
        events: How many events it stands for: more than one only where an envelope held too many, or cannot be read.
    """

    batch_no: int
    place: int
    source: str
    code: str
    rule: str
    reason: Words
    delivery: Delivery
    events: int = 1


class Read(msgspec.Struct):
    """What batches gave.

    Attributes:
        events: In the shape of `raw_schema`, in the order of their offsets; ``row_key`` is ``id_hash``.
        batch_no, place: The offset of each event.
        received_ms: When each was received.
        day: The UTC day of the client's own timestamp (days since 1970), `seen.UNTIMED` where it told none.
        id_hash, content_hash: What stands for the message and for its content (`sameness`), 63 bits, keyed.
        bad: What goes to quarantine, in the order of the offsets.
        counts: What is told of events that are accepted, by source and code.
        undeclared: Names that nobody declared and that are dropped, by source and day of reception.
        taken, of, within: Where each event comes from: item ``within`` of the delivery ``of`` of ``taken``.
    """

    events: pa.Table
    batch_no: Ints
    place: Ints
    received_ms: Ints
    day: Ints
    id_hash: Ints
    content_hash: Ints
    bad: list[Bad]
    counts: Counter[tuple[str, str]]
    undeclared: dict[tuple[str, int], Undeclared]
    taken: Sequence[Taken]
    of: Ints
    within: Ints

    def original(self, row: int) -> Delivery:
        """Return event ``row`` alone, as a delivery."""
        one = self.taken[int(self.of[row])]
        return alone(one.delivery, one.parts, int(self.within[row]))


_APART = 0x2545F4914F6CDD1D
"""What parts the hashes of the audience space from all others."""


class Reader:
    """Reads the deliveries of one company; it may be kept as long as blueprint and sources stay what they are.

    Args:
        sources: The sources by id.
        blueprint: What is declared.
        settings: The time zone of rows without one.
        seed: The company's secret seed of hashes (`Door.row_seed`).
    """

    def __init__(self, sources: Mapping[str, Source], blueprint: Blueprint, settings: Settings, seed: int) -> None:
        self.sources = sources
        self.blueprint = blueprint
        self._zone = settings.time_zone
        self._seed = seed
        self._calls: dict[str, Calls] = {}
        purposes = tuple(purpose.id for purpose in blueprint.purposes)
        self.schema = raw_schema(dict(blueprint.field_kinds()), blueprint.objects, purposes)

    def read(self, placed: Sequence[Placed], now_ms: int) -> Read:
        """Return what batches give; nothing in them makes it fail."""
        return _Gathering(self, now_ms).read(placed)

    def calls(self, source: str) -> Calls:
        """Return how Segment's calls from ``source`` are read."""
        if source not in self._calls:
            # A message that a page also sends to the audience space is another one there: nothing of the two meets.
            seed = self._seed ^ _APART if self.sources[source].audience else self._seed
            self._calls[source] = Calls(self.sources[source], self.blueprint, seed)
        return self._calls[source]

    def rows(self, source: str, now_ms: int) -> RowsIn:
        """Return how rows of ``source`` are read."""
        return RowsIn(self.sources[source], self.blueprint, self._zone, self._seed, now_ms)


def read_deliveries(
    placed: Sequence[Placed],
    sources: Mapping[str, Source],
    blueprint: Blueprint,
    settings: Settings,
    seed: int,
    now_ms: int,
) -> Read:
    """Return what ``placed`` gives: `Reader.read` for a single time."""
    return Reader(sources, blueprint, settings, seed).read(placed, now_ms)


class _Gathering:
    """Deliveries on their way: taken apart first, then read source by source."""

    def __init__(self, reader: Reader, now_ms: int) -> None:
        self.reader = reader
        self.now_ms = now_ms
        self.bad: list[Bad] = []
        self.waiting: dict[tuple[str, bool], list[Taken]] = {}
        self.taken: list[Taken] = []
        self.found: list[Found] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.undeclared: dict[tuple[str, int], Undeclared] = {}

    def read(self, placed: Sequence[Placed]) -> Read:
        for batch in placed:
            place = 0
            for delivery in batch.deliveries:
                place += self._take(batch.batch_no, place, delivery)
        for (source, rows), waiting in self.waiting.items():
            span = span_of(self.reader.sources[source]) if rows else 1
            reading = self.reader.rows(source, self.now_ms).read if rows else self.reader.calls(source).read
            for block in _cut(waiting):
                self._note(source, block, reading(block), span)
        self.bad.sort(key=lambda bad: (bad.batch_no, bad.place))
        return self._join()

    def _take(self, batch_no: int, place: int, delivery: Delivery) -> int:
        """Take one delivery apart; return how many places it takes up."""
        parts, source = split(delivery), self.reader.sources.get(delivery.source)
        if parts is None:
            self._refuse(Taken(batch_no, place, delivery, Split(())), 0, ENVELOPE_UNREADABLE, place)
            return 1
        one = Taken(batch_no, place, delivery, parts)
        if source is None:
            for index in range(len(parts.items)):
                self._refuse(one, index, UNKNOWN_SOURCE, place + index)
            return len(parts.items)
        rows = delivery.kind == ROWS
        most = None if rows else self.reader.calls(delivery.source).most_events
        kept = one if most is None or len(parts.items) <= most else self._cut_off(one, most)
        self.waiting.setdefault((delivery.source, rows), []).append(kept)
        return len(parts.items) * (span_of(source) if rows else 1)

    def _cut_off(self, one: Taken, most: int) -> Taken:
        """Put aside what an envelope holds beyond ``most`` events, in lots that may be replayed as they are."""
        items = one.parts.items
        for start in range(most, len(items), most):
            count = min(most, len(items) - start)
            self._refuse(one, start, TOO_MANY_EVENTS, one.place + start, count)
        return msgspec.structs.replace(one, parts=msgspec.structs.replace(one.parts, items=items[:most]))

    def _refuse(self, one: Taken, index: int, reason: Reason, place: int, events: int = 1) -> None:
        delivery = alone(one.delivery, one.parts, index, events) if one.parts.items else one.delivery
        told = (reason.code, reason.rule, reason.words, delivery, events)
        self.bad.append(Bad(one.batch_no, place, one.delivery.source, *told))

    def _note(self, source: str, block: Sequence[Taken], found: Found, span: int) -> None:
        found.marks.of += len(self.taken)
        self.found.append(found)
        self.taken += block
        for (of, within), reason in found.faults.items():
            one = block[of]
            self._refuse(one, within, reason, one.place + within * span)
        self.counts.update({(source, code): count for code, count in found.counts.items()})
        for day, undeclared in found.undeclared.items():
            self.undeclared.setdefault((source, day), Undeclared()).add(undeclared)

    def _join(self) -> Read:
        events = pa.concat_tables([self.reader.schema.empty_table(), *(found.events for found in self.found)])
        marks = Marks.concatenate([found.marks for found in self.found])
        batch_no = np.array([one.batch_no for one in self.taken], np.int64)[marks.of]
        received_ms = np.array([one.delivery.received_ms for one in self.taken], np.int64)[marks.of]
        order = np.lexsort((marks.place, batch_no))
        if (np.diff(order) < 0).any():
            events, marks = events.take(pa.array(order)), marks.pick(order)
            batch_no, received_ms = batch_no[order], received_ms[order]
        return Read(
            events=events,
            batch_no=batch_no,
            place=marks.place,
            received_ms=received_ms,
            day=marks.day,
            id_hash=marks.id_hash,
            content_hash=marks.content_hash,
            bad=self.bad,
            counts=self.counts,
            undeclared=self.undeclared,
            taken=self.taken,
            of=marks.of,
            within=marks.within,
        )


def _cut(waiting: Sequence[Taken]) -> Iterator[list[Taken]]:
    """Yield deliveries in blocks that are read at once."""
    block: list[Taken] = []
    size = 0
    for one in waiting:
        if block and size + len(one.delivery.body) > BLOCK_BYTES:
            yield block
            block, size = [], 0
        block.append(one)
        size += len(one.delivery.body)
    if block:
        yield block
