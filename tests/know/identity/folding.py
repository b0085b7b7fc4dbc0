"""Small worlds to fold: identifiers, edges drawn over them, and the same definition one edge and one set at a time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from parcours.know.identity.fold import LIMITS, Evidence, fold
from parcours.know.identity.people import People

TYPES = ("user", "mail", "phone", "device")
KEY = bytes(range(32))
Edge = tuple[int, int, int]
Pair = tuple[int, int]


def node(kind: str, number: int) -> int:
    return (TYPES.index(kind) << 61) | (number + 1)


def kind_of(one: int) -> int:
    return one >> 61


NODES = sorted(node(kind, number) for kind, count in zip(TYPES, (4, 5, 4, 6), strict=True) for number in range(count))
ACCOUNTS = [one for one in NODES if kind_of(one) < 3]
DEVICES = [one for one in NODES if kind_of(one) == 3]
STARS = [(one, other) for one in NODES for other in NODES if kind_of(one) < kind_of(other)]
"""Whatever one event can show: a stronger identifier beside a weaker one."""
PAIRS = list(itertools.combinations(NODES, 2))
SAME = list(itertools.combinations(ACCOUNTS, 2))
EDGES = st.lists(
    st.builds(lambda number, pair: (number, *pair), st.integers(1, 40), st.sampled_from(STARS)), max_size=30
)
LIMIT_SETS = st.sampled_from([{}, {"device": 2}, {"mail": 1, "phone": 1}, {"user": 2, "mail": 3}])
NEVER = st.lists(st.sampled_from(PAIRS), max_size=3, unique=True)
APPROVED = st.lists(st.sampled_from(SAME), max_size=2, unique=True)
SCORED = st.lists(
    st.builds(
        lambda number, pair, weight: (number, *pair, weight),
        st.integers(1, 40),
        st.sampled_from(SAME),
        st.integers(-500, 9_000),
    ),
    max_size=3,
    unique_by=lambda edge: edge[1:3],
)
SHARED = st.lists(st.sampled_from(DEVICES), max_size=2, unique=True)
BLOCKED = st.lists(st.sampled_from(NODES), max_size=2, unique=True)


def table(rows: Sequence[Sequence[int]], width: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(rows, np.int64).reshape(-1, width)


def evidence(
    edges: Sequence[Edge] = (),
    limits: Mapping[str, int] | None = None,
    never: Sequence[Pair] = (),
    approved: Sequence[Pair] = (),
    scored: Sequence[tuple[int, int, int, int]] = (),
    shared: Sequence[int] = (),
    blocked: Sequence[int] = (),
    renamed: Sequence[Pair] = (),
    nodes: Sequence[int] = NODES,
) -> Evidence:
    return Evidence(
        pseudonyms=np.array(sorted(nodes), np.int64),
        first_seen=np.array([first_seen(one) for one in sorted(nodes)], np.int64),
        seen=table(edges, 3),
        scored=table(scored, 4),
        never=table(never, 2),
        approved=table([(place, *pair) for place, pair in enumerate(approved)], 3),
        shared=np.array(sorted(shared), np.int64),
        renamed=table([*((one, -1) for one in blocked), *renamed], 2),
        limits=dict(limits or {}),
    )


def first_seen(one: int) -> int:
    """When each identifier was first seen: the same whatever else there is."""
    return (NODES.index(one) * 7) % len(NODES)


def run(edges: Sequence[Edge] = (), limits: Mapping[str, int] | None = None, **more: Any) -> People:
    return fold(evidence(edges, limits, **more), KEY)


def groups_of(people: People) -> list[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for pseudonym, person in zip(people.pseudonyms.tolist(), people.person.tolist(), strict=True):
        found.setdefault(person, set()).add(pseudonym)
    return sorted(map(frozenset, found.values()), key=min)


def fold_plainly(told: Evidence) -> tuple[list[frozenset[int]], list[int]]:
    """The definition of the fold, one edge and one set at a time: the groups, and the verdict on each distinct edge."""
    most = {kind: told.limits.get(name, LIMITS[name]) for kind, name in enumerate(TYPES)}
    blocked = {one for one, other in told.renamed.tolist() if other == -1}
    never = {frozenset(pair) for pair in told.never.tolist()}
    first: dict[tuple[int, int, int], tuple[int, ...]] = {}
    for place, one, other in told.approved.tolist():
        first.setdefault((*sorted((one, other)), 2), (0, place, *sorted((one, other)), 2))
    lines = [(*line, 0) for line in told.seen.tolist()] + [(*line[:3], 1) for line in told.scored.tolist()]
    for number, strong, weak, origin in lines:
        key = (*sorted((strong, weak)), origin)
        rank = (1, number, *key)
        first[key] = min(rank, first.get(key, rank))
    ordered = sorted(first, key=lambda key: first[key])
    person = {one: {one} for one in told.pseudonyms.tolist()}
    counts = {one: [int(kind_of(one) == kind) for kind in range(4)] for one in person}
    verdict = {}
    for one, other, origin in ordered:
        key = (one, other, origin)
        if one in blocked or other in blocked:
            verdict[key] = 3
            continue
        if kind_of(other) == 3:
            continue
        if person[one] is person[other]:
            verdict[key] = 1
            continue
        if any(frozenset((a, b)) in never for a in person[one] for b in person[other]):
            verdict[key] = 4
            continue
        sums = [a + b for a, b in zip(counts[min(person[one])], counts[min(person[other])], strict=True)]
        if origin == 2:
            sums = [min(count, most[kind]) for kind, count in enumerate(sums)]
        over = [kind for kind in range(4) if sums[kind] > most[kind]]
        if over:
            verdict[key] = 8 + over[0]
            continue
        verdict[key] = 0
        union = person[one] | person[other]
        for each in union:
            person[each], counts[each] = union, sums
    beside: dict[int, list[int]] = {}
    for one, other, origin in ordered:
        if kind_of(other) == 3 and (one, other, origin) not in verdict:
            beside.setdefault(other, []).append(one)
    joined = {one: set(group) for one, group in person.items()}
    for device, accounts in beside.items():
        owner = person[accounts[0]]
        crowd = any(sum(kind_of(one) == kind for one in set(accounts)) > most[kind] for kind in range(3))
        if crowd or device in told.shared.tolist() or any(person[one] is not owner for one in accounts):
            told_of = [2] * len(accounts)
        else:
            held = joined[min(owner)]
            if any(frozenset((device, one)) in never for one in held):
                told_of = [4] * len(accounts)
            elif sum(kind_of(one) == 3 for one in held) >= most[3]:
                told_of = [11] * len(accounts)
            else:
                held.add(device)
                told_of = [0] + [1] * (len(accounts) - 1)
        for key in [key for key in ordered if key[1] == device and key not in verdict]:
            verdict[key] = told_of.pop(0)
    taken = {one for group in joined.values() for one in group if kind_of(one) == 3 and len(group) > 1}
    groups = {frozenset(joined[min(group)]) for one, group in person.items() if kind_of(one) < 3}
    groups |= {frozenset([one]) for one in person if kind_of(one) == 3 and one not in taken}
    return sorted(groups, key=min), [verdict[key] for key in ordered]
