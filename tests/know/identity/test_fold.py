"""Tests of identity: the fold equals its plain definition, limits hold, shared devices join nobody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.identity.fold import LIMITS, LINKED, REFUSED, SHARED, People, fold

TYPES = ("user", "mail", "phone", "device")


def node(kind: str, number: int) -> int:
    return (TYPES.index(kind) << 61) | (number + 1)


NODES = [node(kind, number) for kind, count in zip(TYPES, (4, 5, 4, 6), strict=True) for number in range(count)]
EDGES = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(NODES), st.sampled_from(NODES)).filter(
        lambda edge: edge[1] >> 61 < edge[2] >> 61
    ),
    max_size=30,
)


def run(edges: list[tuple[int, int, int]], limits: dict[str, int] | None = None) -> People:
    pseudonyms = np.array(sorted(NODES), np.int64)
    first_seen = np.arange(len(NODES), dtype=np.int64)
    return fold(pseudonyms, first_seen, np.array(edges, np.int64).reshape(-1, 3), limits or {})


def fold_plainly(edges: list[tuple[int, int, int]], limits: dict[str, int]) -> list[frozenset[int]]:
    """The same definition, one edge and one set at a time."""
    most = {TYPES.index(kind): limits.get(kind, LIMITS[kind]) for kind in TYPES}
    first: dict[tuple[int, int], int] = {}
    for number, strong, weak in edges:
        first[strong, weak] = min(number, first.get((strong, weak), number))
    ordered = sorted(first, key=lambda edge: (first[edge], edge))
    person = {one: {one} for one in NODES}
    for strong, weak in ordered:
        if weak >> 61 == 3 or person[strong] is person[weak]:
            continue
        union = person[strong] | person[weak]
        if all(sum(one >> 61 == kind for one in union) <= most[kind] for kind in range(3)):
            for one in union:
                person[one] = union
    owners = {weak: {min(person[s]) for s, w in ordered if w == weak} for _, weak in ordered if weak >> 61 == 3}
    for strong, weak in ordered:
        if weak >> 61 == 3 and len(owners[weak]) == 1 and weak not in person[strong]:
            held = person[strong]
            if sum(one >> 61 == 3 for one in held) < most[3]:
                held.add(weak)
                person[weak] = held
    return sorted({frozenset(group) for group in person.values()}, key=min)


def groups_of(people: People) -> list[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for pseudonym, person in zip(people.pseudonyms.tolist(), people.person.tolist(), strict=True):
        found.setdefault(person, set()).add(pseudonym)
    return sorted(map(frozenset, found.values()), key=min)


@settings(max_examples=150, deadline=None)
@given(EDGES, st.sampled_from([{}, {"device": 2}, {"mail": 1, "phone": 1}, {"user": 2, "mail": 3}]))
def test_the_fold_equals_its_plain_definition(edges: list[tuple[int, int, int]], limits: dict[str, int]) -> None:
    assert groups_of(run(edges, limits)) == fold_plainly(edges, limits)


@settings(max_examples=80, deadline=None)
@given(EDGES, st.randoms(use_true_random=False))
def test_order_of_arrival_and_redelivery_change_nothing(edges: list[tuple[int, int, int]], random: object) -> None:
    shuffled = [*edges, *edges]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = run(edges), run(shuffled)
    assert one.person.tolist() == other.person.tolist()
    assert one.edges.tolist() == other.edges.tolist()
    assert one.verdicts.tolist() == other.verdicts.tolist()


@settings(max_examples=80, deadline=None)
@given(EDGES)
def test_no_person_passes_a_limit(edges: list[tuple[int, int, int]]) -> None:
    for group in groups_of(run(edges, {"device": 2})):
        counts = [sum(one >> 61 == kind for one in group) for kind in range(4)]
        assert all(count <= most for count, most in zip(counts, (1, 2, 2, 2), strict=True))


def test_people_are_numbered_by_their_earliest_identifier() -> None:
    pseudonyms = np.array(sorted([node("user", 0), node("user", 1), node("mail", 0)]), np.int64)
    edges = np.array([[9, node("user", 1), node("mail", 0)]], np.int64)
    people = fold(pseudonyms, np.array([5, 9, 2]), edges, {})
    assert people.person.tolist() == [1, 0, 0]
    assert people.count == 2


@pytest.mark.parametrize(
    ("edges", "verdicts"),
    [
        ([(1, node("user", 0), node("mail", 0)), (2, node("user", 1), node("mail", 0))], [LINKED, REFUSED]),
        ([(1, node("user", 0), node("device", 0)), (2, node("user", 1), node("device", 0))], [SHARED, SHARED]),
        (
            # One person who reads mails logged out is no reason to call the device shared.
            [
                (1, node("mail", 0), node("device", 0)),
                (2, node("user", 0), node("device", 0)),
                (3, node("user", 0), node("mail", 0)),
            ],
            [LINKED, LINKED, LINKED],
        ),
    ],
)
def test_verdicts(edges: list[tuple[int, int, int]], verdicts: list[int]) -> None:
    assert run(edges).verdicts.tolist() == verdicts


def test_nobody_is_nobody() -> None:
    empty = np.empty(0, np.int64)
    assert fold(empty, empty, np.empty((0, 3), np.int64), {}).count == 0
