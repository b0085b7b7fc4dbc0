"""Accounts folded: users, mails and phones, one edge after the other, under limits and never-link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from parcours.know.identity.verdicts import MERGED, NEVER_LINK, REDUNDANT, REFUSED

Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class Accounts(NamedTuple):
    """What there is to fold: the types of accounts, edges in their order, which a person approved, limits, and pairs
    that must never be in one group."""

    kinds: npt.NDArray[np.int8]
    ends: Places
    approved: Mask
    most: Sequence[int]
    never: Places


class Joined(NamedTuple):
    """The group and the component of every account, each named by one of its places, and the verdict on every edge."""

    groups: Places
    components: npt.NDArray[np.int32]
    verdicts: npt.NDArray[np.int8]


class Groups(NamedTuple):
    """Groups to be folded on: what each holds of every type of account (n × types), the pairs that must never be in one
    group (any names, m × 2), and the group that each of them is in (m × 2)."""

    held: npt.NDArray[np.int64]
    never: Places
    inside: Places


def join_accounts(accounts: Accounts) -> Joined:
    """Fold ``accounts``.

    Where a whole component stays within the limits and holds no pair that must never be one, no order of folding can
    refuse anything, and almost all are such: only the others are folded one edge at a time.
    """
    size, ends = len(accounts.kinds), accounts.ends
    components = find_components(size, ends)
    verdicts = np.full(len(ends), MERGED, np.int8)
    members, edges = (
        np.bincount(components),
        np.bincount(components[ends[:, 0]], minlength=components.max(initial=-1) + 1),
    )
    crowded = _pass_limits(components, accounts.kinds, accounts.most)
    one, other = components[accounts.never].T
    crowded[one[one == other]] = True
    of_edge = components[ends[:, 0]]
    # With as many edges as it takes to hold it together each one joined something; with more the order tells which.
    looped = np.flatnonzero((members - edges != 1)[of_edge] & ~crowded[of_edge])
    verdicts[looped] = _find_joining(size, ends[looped])
    named = _name_by_place(components)
    groups = named.copy()
    doubtful = np.flatnonzero(crowded[of_edge])
    if doubtful.size:
        nodes, roots, verdicts[doubtful] = _fold_one_by_one(accounts, doubtful)
        groups[nodes] = nodes[roots]
    return Joined(groups, named.astype(np.int32), verdicts)


def _fold_one_by_one(accounts: Accounts, rows: Places) -> tuple[Places, list[int], list[int]]:
    """Fold the edges ``rows`` in their order; return their accounts, the root of each, and the verdict on each edge."""
    nodes, ends = np.unique(accounts.ends[rows], return_inverse=True)
    held = accounts.kinds[nodes][:, None] == np.arange(len(accounts.most))
    never = np.searchsorted(nodes, accounts.never[np.isin(accounts.never, nodes).all(axis=1)])
    alone = Groups(held.astype(np.int64), never, never)
    return nodes, *join_in_order(alone, ends.reshape(-1, 2), accounts.approved[rows], accounts.most)


def join_in_order(groups: Groups, ends: Places, approved: Mask, most: Sequence[int]) -> tuple[list[int], list[int]]:
    """Fold edges between ``groups`` one at a time; return the root of every group, and the verdict on each edge.

    What a group holds is one number, `_BITS` a type. A bias is added that carries into a type's highest bit where its
    limit is passed, so that one addition asks about all of them.

    Args:
        groups: What there is so far; numbered by their place.
        ends: The two groups of each edge, in the order of the fold.
        approved: Which edges a person approved.
        most: The limit of each type.
    """
    most = [min(limit, MOST) for limit in most]
    parent = list(range(len(groups.held)))
    held = [sum(count << _BITS * kind for kind, count in enumerate(counts)) for counts in groups.held.tolist()]
    bias = sum((_TOP - 1 - limit) << _BITS * kind for kind, limit in enumerate(most))
    tops = sum(_TOP << _BITS * kind for kind in range(len(most)))
    wary = _Wary(groups)
    verdicts = []
    for one, other, agreed in zip(*ends.T.tolist(), approved.tolist(), strict=True):
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]  # noqa: PLW2901 - the way up is halved as it is walked
        while parent[other] != other:
            parent[other] = other = parent[parent[other]]  # noqa: PLW2901
        if one == other:
            verdicts.append(REDUNDANT)
            continue
        if wary.groups and wary.must_part(one, other):
            verdicts.append(NEVER_LINK)
            continue
        union = held[one] + held[other]
        if passed := (union + bias) & tops:
            if not agreed:
                verdicts.append(REFUSED + ((passed & -passed).bit_length() - 1) // _BITS)
                continue
            # Whom a person calls one counts as one: what is above a limit for that reason refuses nothing else.
            union = _cut(union, most)
        parent[other] = one
        held[one] = union
        wary.join(one, other)
        verdicts.append(MERGED)
    for place, above in enumerate(parent):
        while parent[above] != above:
            above = parent[above]  # noqa: PLW2901
        parent[place] = above
    return parent, verdicts


def count_held(
    kinds: npt.NDArray[np.int8], group: Places, agreed: Places, most: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Return what each group of a fold holds of every type, as `join_in_order` counts it.

    Args:
        kinds: The type of every account.
        group: The number of the group of each.
        agreed: The approved pairs that joined accounts here (places, n × 2): those count as one.
        most: The limit of each type.
    """
    own = find_components(len(kinds), agreed)
    counts = np.zeros((int(own.max(initial=-1)) + 1, len(most)), np.int64)
    np.add.at(counts, (own, kinds), 1)
    # Several that are one by approval hold no more than a limit.
    several = counts.sum(axis=1) > 1
    counts[several] = np.minimum(counts[several], np.minimum(most, MOST))
    found = np.zeros((int(group.max(initial=-1)) + 1, len(most)), np.int64)
    first = np.unique(own, return_index=True)[1]
    np.add.at(found, group[first], counts)
    return found


_BITS = 20
_TOP = 1 << (_BITS - 1)
MOST = 1 << 18
"""No limit is above this one."""


def _cut(held: int, most: Sequence[int]) -> int:
    """Return what a group holds with no type above its limit."""
    counts = (held >> _BITS * kind & (1 << _BITS) - 1 for kind in range(len(most)))
    return sum(min(count, limit) << _BITS * kind for kind, (count, limit) in enumerate(zip(counts, most, strict=True)))


class _Wary:
    """Groups that hold somebody who must never meet somebody else."""

    def __init__(self, start: Groups) -> None:
        self._apart: dict[int, set[int]] = {}
        self.groups: dict[int, set[int]] = {}
        for pair, places in zip(start.never.tolist(), start.inside.tolist(), strict=True):
            for (one, other), place in zip((pair, pair[::-1]), places, strict=True):
                self._apart.setdefault(one, set()).add(other)
                self.groups.setdefault(place, set()).add(one)

    def must_part(self, one: int, other: int) -> bool:
        """Return whether two groups hold a pair that must never be one."""
        met = self.groups.get(other, set())
        return any(self._apart[node] & met for node in self.groups.get(one, ()))

    def join(self, one: int, other: int) -> None:
        """Let the second group be part of the first."""
        if other in self.groups:
            self.groups.setdefault(one, set()).update(self.groups.pop(other))


def find_components(nodes: int, ends: Places) -> npt.NDArray[np.int32]:
    """Return the component of each of ``nodes`` places that ``ends`` (n × 2) hold together, numbered from 0."""
    matrix = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
    found: npt.NDArray[np.int32] = connected_components(matrix, directed=False)[1].astype(np.int32, copy=False)
    return found


def _find_joining(nodes: int, ends: Places) -> npt.NDArray[np.int8]:
    """Return `MERGED` for each edge that joins two groups when folded in order (Kruskal 1956), `REDUNDANT` else."""
    verdicts = np.full(len(ends), REDUNDANT, np.int8)
    # Of two edges between the same ends the later one joins nothing.
    low, high = ends.min(axis=1), ends.max(axis=1)
    first = np.sort(np.unique(low * nodes + high, return_index=True)[1])
    matrix = coo_array((first + 1.0, (low[first], high[first])), shape=(nodes, nodes))
    tree = minimum_spanning_tree(matrix.tocsr())
    verdicts[tree.data.astype(np.intp) - 1] = MERGED
    return verdicts


def _name_by_place(components: npt.NDArray[np.int32]) -> Places:
    first = np.empty(int(components.max(initial=-1)) + 1, np.intp)
    places = np.arange(len(components) - 1, -1, -1)
    first[components[::-1]] = places
    return first[components]


def _pass_limits(components: npt.NDArray[np.int32], kinds: npt.NDArray[np.int8], most: Sequence[int]) -> Mask:
    size = int(components.max(initial=-1)) + 1
    crowded = np.zeros(size, bool)
    starts = np.searchsorted(kinds, np.arange(len(most) + 1))
    for kind, limit in enumerate(most):
        crowded |= np.bincount(components[starts[kind] : starts[kind + 1]], minlength=size) > min(limit, MOST)
    return crowded
