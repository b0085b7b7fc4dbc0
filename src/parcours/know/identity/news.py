"""News and rulings: what came since a fold, what else it rests on, what of that changed, and who moved by it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from parcours.know.identity.people import People
from parcours.know.pseudonyms import Numbers


class News(NamedTuple):
    """What came since: identifiers with the event that first showed each, and edges as seen (n × 3)."""

    pseudonyms: Numbers
    first_seen: Numbers
    seen: Numbers


NO_NEWS = News(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3), np.int64))


class Rulings(msgspec.Struct, frozen=True):
    """What else a fold rests on, as it stands now, whole: see `Evidence`."""

    scored: Numbers
    never: Numbers
    approved: Numbers
    shared: Numbers


class Moved(NamedTuple):
    """The identifiers that were looked at again, and the profile of each before and after."""

    pseudonyms: Numbers
    old: Numbers
    new: Numbers


def compare_people(before: People, after: People) -> Moved:
    """Return who of ``after`` was somebody else in ``before``; both know the same identifiers."""
    old, new = before.profiles(after.pseudonyms), after.profiles(after.pseudonyms)
    went = old != new
    return Moved(after.pseudonyms[went], old[went], new[went])


def join_moved(done: list[Moved]) -> Moved:
    """Return what several steps changed, as from before the first to after the last."""
    none = np.empty(0, np.int64)
    told = Moved(*(np.concatenate(columns) for columns in zip(Moved(none, none, none), *done, strict=True)))
    if len(done) < 2:
        return told
    names, first = np.unique(told.pseudonyms, return_index=True)
    last = len(told.pseudonyms) - 1 - np.unique(told.pseudonyms[::-1], return_index=True)[1]
    return Moved(names, told.old[first], told.new[last])


def among(pairs: Numbers, pseudonyms: Numbers, first: int = 1) -> Numbers:
    """Return the lines whose pair (from column ``first`` on) is all among ``pseudonyms``."""
    return pairs[np.isin(pairs[:, first : first + 2], pseudonyms).all(axis=1)] if len(pairs) else pairs


def find_changed(before: Rulings, after: Rulings, fresh: Numbers) -> Numbers:
    """Return the identifiers of every line that came, went, changed, or names an identifier that is only now known."""
    found = [np.empty(0, np.int64)]
    for name, first in (("scored", 1), ("never", 0), ("approved", 1)):
        old, new = getattr(before, name), getattr(after, name)
        lines, counts = np.unique(
            np.concatenate((np.unique(old, axis=0), np.unique(new, axis=0))), axis=0, return_counts=True
        )
        pairs = lines[:, first : first + 2]
        found.append(pairs[(counts == 1) | np.isin(pairs, fresh).any(axis=1)].ravel())
    return np.unique(np.concatenate(found))
