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


def join_accounts(accounts: Accounts) -> Joined:
    """Fold ``accounts``.

    Where a whole component stays within the limits and holds no pair that must never be one, no order of folding can
    refuse anything, and almost all are such: only the others are folded one edge at a time.
    """
    size, ends = len(accounts.kinds), accounts.ends
    components = _find_components(size, ends)
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
    """Fold the edges ``rows`` in their order; return their accounts, the root of each, and the verdict on each edge.

    What a group holds is one number, 16 bits a type. A bias is added that carries into a type's highest bit where
    its limit is passed, so that one addition asks about all of them.
    """
    nodes, ends = np.unique(accounts.ends[rows], return_inverse=True)
    parent = list(range(len(nodes)))
    held: list[int] = (np.int64(1) << (_BITS * accounts.kinds[nodes].astype(np.int64))).tolist()
    most = [min(limit, _MOST) for limit in accounts.most]
    bias = sum((_TOP - 1 - limit) << _BITS * kind for kind, limit in enumerate(most))
    tops = sum(_TOP << _BITS * kind for kind in range(len(most)))
    wary = _Wary(accounts.never, nodes)
    lines = zip(*ends.reshape(-1, 2).T.tolist(), accounts.approved[rows].tolist(), strict=True)
    verdicts = []
    for one, other, approved in lines:
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
            if not approved:
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
    return nodes, parent, verdicts


_BITS = 16
_TOP = 1 << (_BITS - 1)
_MOST = 1 << 14


def _cut(held: int, most: Sequence[int]) -> int:
    """Return what a group holds with no type above its limit."""
    counts = (held >> _BITS * kind & (1 << _BITS) - 1 for kind in range(len(most)))
    return sum(min(count, limit) << _BITS * kind for kind, (count, limit) in enumerate(zip(counts, most, strict=True)))


class _Wary:
    """Groups that hold somebody who must never meet somebody else."""

    def __init__(self, never: Places, nodes: Places) -> None:
        self._apart: dict[int, set[int]] = {}
        for pair in np.searchsorted(nodes, never[np.isin(never, nodes).all(axis=1)]).tolist():
            for one, other in (pair, pair[::-1]):
                self._apart.setdefault(one, set()).add(other)
        self.groups = {node: {node} for node in self._apart}

    def must_part(self, one: int, other: int) -> bool:
        """Return whether two groups hold a pair that must never be one."""
        met = self.groups.get(other, set())
        return any(self._apart[node] & met for node in self.groups.get(one, ()))

    def join(self, one: int, other: int) -> None:
        """Let the second group be part of the first."""
        if other in self.groups:
            self.groups.setdefault(one, set()).update(self.groups.pop(other))


def _find_components(nodes: int, ends: Places) -> npt.NDArray[np.int32]:
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
        crowded |= np.bincount(components[starts[kind] : starts[kind + 1]], minlength=size) > limit
    return crowded
