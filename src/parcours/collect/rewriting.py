"""Parts without some of their rows: what has been replaced leaves, the rest is written anew beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from parcours.collect.rows import Flags, Ints
from parcours.engine.store.parts import Part, read_part, write_part


class Rewriting(msgspec.Struct):
    """The parts to put in force and those to take out; the old files stay until the manifest lets go of them."""

    add: list[Part]
    remove: list[Part]
    event_nos: list[Ints]


def leave_out(folder: Path, parts: Iterable[Part], column: str, gone: Callable[[Ints], Flags]) -> Rewriting:
    """Write ``parts`` again without the rows of which ``gone`` says so by their ``column``; untouched parts stay.

    Raises:
        ParcoursError: ``part_damaged`` or ``disk_full``.
    """
    result = Rewriting([], [], [])
    for part in parts:
        numbers = read_part(folder, part, ["event_no", column])
        leaving = gone(np.asarray(numbers.column(column)))
        if not leaving.any():
            continue
        result.remove.append(part)
        result.event_nos.append(np.asarray(numbers.column("event_no"))[leaving])
        if not leaving.all():
            result.add += write_part(folder, read_part(folder, part).filter(pa.array(~leaving)), part.source)
    return result


def among(sorted_numbers: Ints) -> Callable[[Ints], Flags]:
    """Return what tells which numbers are among ``sorted_numbers``."""

    def find(numbers: Ints) -> Flags:
        if not len(sorted_numbers):
            return np.zeros(len(numbers), bool)
        places = np.minimum(np.searchsorted(sorted_numbers, numbers), len(sorted_numbers) - 1)
        found: Flags = sorted_numbers[places] == numbers
        return found

    return find
