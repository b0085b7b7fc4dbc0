"""What the deliveries of one source gave: raw events with what they are told apart by, and the others with reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parcours.collect.compaction.reasons import Reason
from parcours.collect.compaction.undeclared import Undeclared
from parcours.collect.rows import Flags, Ints


class Marks(msgspec.Struct):
    """Numbers that go with events, one of each for each event.

    Attributes:
        of, within: Which of the deliveries it stands in, and which item of that one it is.
        place: Its place in the journal batch.
        day, id_hash, content_hash: What it is told apart by (`sameness`).
    """

    of: Ints
    within: Ints
    place: Ints
    day: Ints
    id_hash: Ints
    content_hash: Ints

    def pick(self, rows: Ints | Flags) -> Marks:
        """Return those of some events only."""
        return Marks(*(getattr(self, name)[rows] for name in self.__struct_fields__))

    @classmethod
    def concatenate(cls, marks: Sequence[Marks]) -> Marks:
        """Return the marks of all, one after the other."""
        none: npt.NDArray[np.int64] = np.empty(0, np.int64)
        return cls(*(np.concatenate([none, *(getattr(one, name) for one in marks)]) for name in cls.__struct_fields__))


class Found(msgspec.Struct):
    """Events in the order in which they came, and what else was seen.

    Attributes:
        events: In the shape of `raw_schema`.
        marks: The numbers of each event.
        faults: Why other items are refused, by delivery and place in it.
        counts: What is told of those that are accepted, by code.
        undeclared: Names that nobody declared, by the day (UTC, since 1970) on which they were received.
    """

    events: pa.Table
    marks: Marks
    faults: dict[tuple[int, int], Reason]
    counts: Counter[str]
    undeclared: dict[int, Undeclared] = {}
