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
        forest = _Forest(accounts)
        verdicts[doubtful] = [forest.fold(one, other, same) for one, other, same in _lines(accounts, doubtful)]
        nodes = np.fromiter(forest.parent, np.intp, len(forest.parent))
        groups[nodes] = [forest.root(node) for node in nodes.tolist()]
    return Joined(groups, named.astype(np.int32), verdicts)


class _Forest:
    """Groups as a forest of parents, with what each holds: identifiers by type, and who must never meet another."""

    def __init__(self, accounts: Accounts) -> None:
        self.parent: dict[int, int] = {}
        self._kinds, self._most = accounts.kinds, tuple(accounts.most)
        self._held: dict[int, tuple[int, ...]] = {}
        self._apart: dict[int, set[int]] = {}
        for one, other in accounts.never.tolist():
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)
        self._wary: dict[int, list[int]] = {node: [node] for node in self._apart}

    def root(self, node: int) -> int:
        """Return what names the group of ``node``."""
        parent = self.parent
        if node not in parent:
            parent[node] = node
            kind = self._kinds[node]
            self._held[node] = tuple(int(kind == place) for place in range(len(self._most)))
            return node
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def fold(self, one: int, other: int, approved: bool) -> int:
        """Fold one edge; return its verdict."""
        left, right = self.root(one), self.root(other)
        if left == right:
            return REDUNDANT
        if self._must_part(left, right):
            return NEVER_LINK
        union = tuple(a + b for a, b in zip(self._held[left], self._held[right], strict=True))
        if approved:
            # Whom a person calls one counts as one: what is above a limit for that reason refuses nothing else.
            union = tuple(map(min, union, self._most))
        for kind, count in enumerate(union):
            if count > self._most[kind]:
                return REFUSED + kind
        self.parent[right] = left
        self._held[left] = union
        if right in self._wary:
            self._wary.setdefault(left, []).extend(self._wary.pop(right))
        return MERGED

    def _must_part(self, left: int, right: int) -> bool:
        if left not in self._wary or right not in self._wary:
            return False
        met = set(self._wary[right])
        return any(self._apart[node] & met for node in self._wary[left])


def _lines(accounts: Accounts, rows: Places) -> list[tuple[int, int, bool]]:
    ends = accounts.ends[rows]
    return list(zip(ends[:, 0].tolist(), ends[:, 1].tolist(), accounts.approved[rows].tolist(), strict=True))


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
