"""Tests of suppression: small groups are hidden, and no difference or other sum of shown cells gives one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.access.suppression import FEWEST, Cell, find_determined, hide

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "150"))

Fact = tuple[int, str, str, str]
"""A customer, the place, the group and the week of one figure; a customer is in one group."""

STAGES = {"p0": "s0", "p1": "s0", "p2": "s1", "p3": "s1"}
CHANNELS = {"p0": "c0", "p1": "c1", "p2": "c0", "p3": "c1"}


def axes(fact: Fact) -> dict[str, str]:
    _, place, group, week = fact
    return {"place": place, "stage": STAGES[place], "channel": CHANNELS[place], "group": group, "week": week}


SPLITS = {
    "place": ("place", "stage", "channel"),
    "stage": ("stage",),
    "channel": ("channel",),
    "group": ("group",),
    "week": ("place", "stage", "channel", "week"),
}
"""Splits like those that are declared, and the axes that a cell of each is placed by."""


def lattice(facts: Sequence[Fact], total: bool = True) -> tuple[list[Cell], list[frozenset[int]]]:
    """Return the cells of all splits over some facts, and the facts in each."""
    members: dict[tuple[str, frozenset[tuple[str, str]]], set[int]] = {}
    for number, fact in enumerate(facts):
        for split, names in SPLITS.items():
            place = frozenset((name, axes(fact)[name]) for name in names)
            members.setdefault((split, place), set()).add(number)
    if total:
        members[("total", frozenset())] = set(range(len(facts)))
    cells = [
        Cell(split, place, len({facts[one][0] for one in held}), split == "total")
        for (split, place), held in members.items()
    ]
    return cells, [frozenset(held) for held in members.values()]


def people(facts: Sequence[Fact], members: frozenset[int]) -> int:
    return len({facts[one][0] for one in members})


def check(facts: Sequence[Fact]) -> tuple[list[Cell], frozenset[int]]:
    """Hide what must be hidden, and hold the result against everything that somebody could compute."""
    cells, members = lattice(facts)
    hidden = hide(cells, disjoint=("group",))
    shown = [place for place in range(len(cells)) if place not in hidden]
    for place in shown:
        assert cells[place].customers >= FEWEST or cells[place].known
    # Every pair: what a shown cell leaves beside another one inside it is nobody, or a group that is large enough.
    if len({fact[0] for fact in facts}) >= FEWEST:
        for whole, part in itertools.permutations(shown, 2):
            if cells[whole].place < cells[part].place and members[part] < members[whole]:
                assert people(facts, members[whole] - members[part]) >= FEWEST
        # And with all the shown parts of one split taken away at once.
        for whole, split in itertools.product(shown, SPLITS):
            parts = [p for p in shown if cells[p].split == split and cells[whole].place < cells[p].place]
            if parts:
                rest = members[whole].difference(*(members[part] for part in parts))
                assert people(facts, rest) == 0 or people(facts, rest) >= FEWEST
    check_span(cells, hidden)
    return cells, hidden


def check_span(cells: list[Cell], hidden: frozenset[int]) -> None:
    """No hidden cell is a sum of multiples of shown ones, for somebody who knows what is declared and what is empty.

    The unknowns are all combinations of a place, a group and a week, but for those that lie in a cell of nobody.
    """
    values = {axis: {value for one in cells for name, value in one.place if name == axis} for axis in ("group", "week")}
    places = {one.place for one in cells}
    unknown = []
    for place, group, week in itertools.product(STAGES, values["group"], values["week"]):
        mine = axes((0, place, group, week))
        inside = [frozenset((name, mine[name]) for name in names) for names in SPLITS.values()]
        if all(each in places for each in inside):
            unknown.append(frozenset(mine.items()))
    matrix = np.array([[one.place <= atom for atom in unknown] for one in cells], float).reshape(len(cells), -1)
    shown = [place for place in range(len(cells)) if place not in hidden]
    # With nothing but the total there is nothing to hide behind.
    if not unknown or all(cells[place].known for place in shown):
        return
    rank = np.linalg.matrix_rank(matrix[shown])
    for place in sorted(hidden):
        assert np.linalg.matrix_rank(matrix[[*shown, place]]) > rank, cells[place]


def facts_of(sizes: Sequence[int], places: Sequence[str], groups: Sequence[str], weeks: Sequence[str]) -> list[Fact]:
    """Return so many customers, one fact each, in every combination in turn."""
    found: list[Fact] = []
    for size, (place, group, week) in zip(sizes, itertools.product(places, groups, weeks), strict=True):
        found += [(len(found) + number, place, group, week) for number in range(size)]
    return found


def test_every_small_lattice_is_safe() -> None:
    """Two places, two groups, two weeks, each of the eight cells empty, small, or large enough: all 6,561 of them."""
    hid = 0
    step = 1 if "PARCOURS_EXAMPLES" in os.environ else 7
    for sizes in list(itertools.product((0, 3, 12), repeat=8))[::step]:
        _, hidden = check(facts_of(sizes, ("p0", "p1"), ("a", "b"), ("w0", "w1")))
        hid += bool(hidden)
    assert hid > 100


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    facts=st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(sorted(STAGES)), st.sampled_from(("w0", "w1", "w2"))),
        max_size=250,
    ),
    groups=st.lists(st.sampled_from("aaaabbc"), min_size=61, max_size=61),
)
def test_a_random_lattice_is_safe(facts: list[tuple[int, str, str]], groups: list[str]) -> None:
    """Customers with several figures each, in any places and weeks, and one group a customer."""
    check([(customer, place, groups[customer], week) for customer, place, week in facts])


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(STAGES)), st.sampled_from("abcd"), st.integers(0, 14)), max_size=40))
def test_a_random_table_of_two_ways_is_safe(sizes: list[tuple[str, str, int]]) -> None:
    facts: list[Fact] = []
    for place, group, size in sizes:
        facts += [(len(facts) + number, place, group, "w0") for number in range(size)]
    check(facts)


def cell(split: str, customers: int, known: bool = False, **place: str) -> Cell:
    return Cell(split, frozenset(place.items()), customers, known)


def test_a_single_hidden_part_takes_the_smallest_other_one_along() -> None:
    cells = [cell("total", 64, True), cell("group", 4, g="a"), cell("group", 40, g="b"), cell("group", 20, g="c")]
    assert hide(cells, ["group"]) == {1, 3}


def test_two_small_parts_take_a_large_one_along() -> None:
    cells = [cell("total", 48, True), cell("group", 4, g="a"), cell("group", 4, g="b"), cell("group", 40, g="c")]
    assert hide(cells, ["group"]) == {1, 2, 3}


def test_small_groups_that_are_large_together_are_enough_only_where_nobody_is_in_both() -> None:
    cells = [cell("total", 54, True), cell("part", 7, g="a"), cell("part", 7, g="b"), cell("part", 40, g="c")]
    assert hide(cells, ["part"]) == {1, 2}
    assert hide(cells) == {1, 2, 3}


def test_large_groups_are_all_shown_and_nobodys_cell_is_no_secret() -> None:
    cells = [cell("total", 60, True), cell("group", 0, g="a"), cell("group", 10, g="b"), cell("group", 50, g="c")]
    assert hide(cells, ["group"]) == frozenset()


def test_a_cell_that_equals_a_hidden_one_is_hidden_with_it() -> None:
    cells = [cell("stage", 4, s="x"), cell("place", 4, s="x", p="1"), cell("stage", 90, s="y")]
    assert hide(cells) >= {0, 1}


def test_a_chain_of_sums_that_no_single_difference_shows_is_found() -> None:
    """Two rings of hidden cells joined by one: its value is that of the rows of one ring less its columns."""
    table = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    cells = [cell("row", 200, True, r=str(row)) for row in range(4)]
    cells += [cell("column", 200, True, c=str(column)) for column in range(4)]
    places = {}
    for row, column in itertools.product(range(4), range(4)):
        places[row, column] = len(cells)
        cells.append(cell("cell", 12 if table[row][column] else 90, r=str(row), c=str(column)))
    ring = [places[pair] for pair in places if table[pair[0]][pair[1]]]
    few = [c._replace(customers=9) if place in ring else c for place, c in enumerate(cells)]
    hidden = hide(few, ["cell"])
    unknown = []
    for axis in ("r", "c"):
        for value in range(4):
            row = {p: 1 for p in hidden if dict(cells[p].place).get(axis) == str(value)}
            unknown += [row] if row else []
    assert find_determined(unknown) == set()
    assert find_determined(
        [{p: 1 for p in ring if dict(cells[p].place)[a] == str(v)} for a in "rc" for v in range(4)]
    ) == {places[1, 2]}
