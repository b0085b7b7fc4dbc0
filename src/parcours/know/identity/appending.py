"""Edges behind all others: folded on from groups as they stand, and the devices beside those groups judged again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from parcours.know.identity.accounts import Groups, count_held, find_components, join_in_order
from parcours.know.identity.devices import attach_devices
from parcours.know.identity.fold import number_people
from parcours.know.identity.people import Codes
from parcours.know.identity.shared import DEVICE
from parcours.know.pseudonyms import Numbers

Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
Marks = npt.NDArray[np.int8]


class Around(NamedTuple):
    """Some groups whole, with the devices beside them; whatever else there is stays as it is.

    Attributes:
        kinds: The type of each identifier, rising: accounts first, then devices.
        first_seen: The number of the event that first showed each.
        group: The group of each account, by any name.
        agreed: Pairs of accounts that are one by approval (n × 2, places here, as everywhere below).
        joins: New edges between accounts (n × 2), in the order of the fold, behind all that were folded.
        beside: All edges to these devices from these accounts, old and new (n × 2), in the order of first sight.
        never: Pairs that must never be in one group.
        shared: Devices that are shared whatever these edges say.
    """

    kinds: Marks
    first_seen: Numbers
    group: Places
    agreed: Places
    joins: Places
    beside: Places
    never: Places
    shared: Mask


class Appended(NamedTuple):
    """The place of the earliest identifier of each one's person, and the verdicts on ``joins`` and on ``beside``."""

    leader: Codes
    joins: Marks
    beside: Marks


def append(around: Around, most: Sequence[int]) -> Appended:
    """Fold ``joins`` on, and attach devices anew.

    No more than this need be looked at: a fold takes one edge after the other, so that edges behind all others change
    no verdict before them, and what it needs of the past is who is with whom, and how many of a type they are.
    """
    accounts = int(np.searchsorted(around.kinds, DEVICE))
    named, group = np.unique(around.group, return_index=True, return_inverse=True)[1:]
    never = around.never[(around.never < accounts).all(axis=1)]
    held = count_held(around.kinds[:accounts], group, around.agreed, most)
    start = Groups(held, never, group[never])
    seen = np.zeros(len(around.joins), bool)
    roots, verdicts = join_in_order(start, group[around.joins], seen, most)
    # A group is named by one of its accounts, so that those of lone devices are other ones.
    groups = np.arange(len(around.kinds), dtype=np.intp)
    groups[:accounts] = named[np.array(roots, np.intp)[group]]
    attached = attach_devices(around.kinds, around.beside, groups, most, around.never, around.shared)
    person, earliest = number_people(groups, around.first_seen)
    return Appended(earliest[person], np.array(verdicts, np.int8), attached)


def join_components(labels: Codes, ends: Codes, pseudonyms: Numbers) -> tuple[Codes, Codes]:
    """Return which components ``ends`` (n × 2, by their labels) join, and the label of what each is part of then.

    A component is named by the place of its lowest pseudonym.

    Args:
        labels: The labels in ``ends``, rising.
        ends: The components of both accounts of each edge.
        pseudonyms: The pseudonym of every place.
    """
    whole = find_components(len(labels), np.searchsorted(labels, ends))
    order = np.argsort(pseudonyms[labels])
    lowest = np.empty(int(whole.max(initial=-1)) + 1, labels.dtype)
    # Of several writes to one place the last one stays: the lowest.
    lowest[whole[order[::-1]]] = labels[order[::-1]]
    joined = lowest[whole]
    return labels[joined != labels], joined[joined != labels]
