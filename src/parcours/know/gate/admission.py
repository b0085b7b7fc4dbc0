"""Which rows of a part a purpose may see: by their stamp, and by what is allowed at this moment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parcours.know.gate.lookup import ABSENT, Lookup, Places
from parcours.know.pseudonyms import Numbers

Mask = npt.NDArray[np.bool_]


def is_stamped(permitted: Numbers, bit: int) -> Mask:
    """Return which rows have the stamp of a purpose."""
    stamped: Mask = (permitted & np.int64(1 << bit)) != 0
    return stamped


class Standing:
    """Who allows a purpose at this moment, by pseudonym.

    Args:
        pseudonyms: Every identifier, each once.
        person: The person of each.
        allowed: Who allows it, by person.
    """

    def __init__(self, pseudonyms: Numbers, person: npt.NDArray[np.int32], allowed: Mask) -> None:
        self._lookup = Lookup(pseudonyms)
        # The last place stands for whoever is not known: the gate denies by default.
        self._person = np.append(person, ABSENT).astype(np.int32)
        self._allows = np.append(allowed[person], False) if len(person) else np.zeros(1, bool)

    def of(self, bucket: int, subjects: Numbers) -> tuple[Places, Mask]:
        """Return the person of each of ``subjects`` (all of one bucket), and whether they allow it."""
        places = self._lookup.find(bucket, subjects)
        return self._person.take(places), self._allows.take(places)

    def admit(self, bucket: int, subjects: Numbers, permitted: Numbers, bit: int) -> Mask:
        """Return which rows may be seen: those with the stamp, of nobody or of people who allow it now."""
        kept = is_stamped(permitted, bit)
        stamped = np.flatnonzero(kept)
        mine = subjects.take(stamped)
        kept[stamped] = self._allows.take(self._lookup.find(bucket, mine)) | (mine == ABSENT)
        return kept
