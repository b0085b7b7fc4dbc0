"""Who is who and who allows it, looked up row by row: a table of pseudonyms that fits the processor's cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parcours.know.pseudonyms import BUCKETS, Numbers, buckets_of

ABSENT = -1
_SPARSE = 2
"""Slots a pseudonym: half of them stay empty, so that nearly every look-up ends at the first or second slot."""

_BUCKET_BITS = BUCKETS.bit_length() - 1
Places = npt.NDArray[np.int32]


class Lookup:
    """The place of each pseudonym, by bucket; open addressing, for pseudonyms are hashes already.

    Args:
        pseudonyms: All that are known, each once.
    """

    def __init__(self, pseudonyms: Numbers) -> None:
        bucket = buckets_of(pseudonyms)
        self._tables = [_Slots(pseudonyms, np.flatnonzero(bucket == number)) for number in range(BUCKETS)]

    def find(self, bucket: int, subjects: Numbers) -> Places:
        """Return the place of each of ``subjects`` (all of one bucket), `ABSENT` where it is not known."""
        return self._tables[bucket].find(subjects)


class _Slots:
    """The table of one bucket."""

    def __init__(self, pseudonyms: Numbers, places: npt.NDArray[np.intp]) -> None:
        size = 1 << max(1, (len(places) * _SPARSE).bit_length())
        self._mask = size - 1
        self._keys = np.full(size, ABSENT, np.int64)
        self._places = np.full(size, ABSENT, np.int32)
        own, waiting = pseudonyms[places], np.arange(len(places))
        slots = self._first(own)
        while len(waiting):
            free = self._keys[slots[waiting]] == ABSENT
            # Of several that meet in one free slot the last one written stays; the others go on to the next slot.
            tried = waiting[free]
            self._keys[slots[tried]] = own[tried]
            self._places[slots[tried]] = places[tried]
            waiting = waiting[self._keys[slots[waiting]] != own[waiting]]
            slots[waiting] = (slots[waiting] + 1) & self._mask

    def find(self, subjects: Numbers) -> Places:
        """Return the place of each of ``subjects``."""
        slots = self._first(subjects)
        held = self._keys.take(slots)
        found = self._places.take(slots)
        rest = np.flatnonzero((held != subjects) & (held != ABSENT))
        found[held != subjects] = ABSENT
        while len(rest):
            slots[rest] = (slots[rest] + 1) & self._mask
            held = self._keys.take(slots[rest])
            same = held == subjects[rest]
            found[rest[same]] = self._places.take(slots[rest[same]])
            rest = rest[~same & (held != ABSENT)]
        return found

    def _first(self, pseudonyms: Numbers) -> npt.NDArray[np.int64]:
        return (pseudonyms >> _BUCKET_BITS) & self._mask
