"""Small groups kept out of sight: which cells of a fixed lattice are hidden, so that no other ones betray them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

FEWEST = 10
"""A group of fewer customers is never shown to a role that sees groups alone."""

_PRIME = (1 << 61) - 1
"""Sums are solved modulo this prime: a combination of a few cells that vanishes by chance does not happen."""

Place = frozenset[tuple[str, str]]


class Cell(NamedTuple):
    """One group of which figures may be shown.

    Attributes:
        split: The way of parting that it belongs to; its cells have no figure in common.
        place: What its members have in common, as (axis, value): a cell is part of another one whose place says less.
        customers: How many customers it holds.
        known: Whether it is known whatever is hidden, such as the total; it is never hidden.
        within: What a cell must say of its place for the cells of this one's split to make it up.
    """

    split: str
    place: Place
    customers: int
    known: bool = False
    within: Place = frozenset()


class Sum(NamedTuple):
    """A cell and the cells of one other split that make it up, as places of a list of cells."""

    whole: int
    parts: tuple[int, ...]
    disjoint: bool


def hide(cells: Sequence[Cell], disjoint: Collection[str] = (), fewest: int = FEWEST) -> frozenset[int]:
    """Return the places of the ``cells`` to hide.

    First those of fewer than ``fewest`` customers; then, until nothing more is found, the smallest cells that have to
    go with them so that

    - what a shown cell leaves beside its shown parts is nothing, or at least two cells and ``fewest`` customers;
    - no hidden cell follows from shown ones by any adding and subtracting.

    Args:
        cells: Every cell of the lattice; each split holds all parts of whatever it parts.
        disjoint: The splits whose cells have no customer in common, so that customers of several add up.
        fewest: The smallest group that is shown.

    Source: Cox 1980, J. American Statistical Association 75, on complementary suppression; the whole is heuristic and
    hides more than the least that would do.
    """
    sums = list(find_sums(cells, disjoint))
    hidden = {place for place, cell in enumerate(cells) if 0 < cell.customers < fewest and not cell.known}
    while True:
        more = _find_companions(cells, sums, hidden, fewest) or _find_betrayers(cells, sums, hidden)
        if not more - hidden:
            return frozenset(hidden)
        hidden |= more


def find_sums(cells: Sequence[Cell], disjoint: Collection[str] = ()) -> Iterator[Sum]:
    """Yield every cell with its parts in each other split that parts it; cells of nobody are no parts."""
    by_split: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        if cell.customers:
            by_split.setdefault(cell.split, []).append(place)
    for whole, cell in enumerate(cells):
        for split, places in by_split.items():
            if split == cell.split:
                continue
            if parts := tuple(place for place in places if cells[place].within <= cell.place < cells[place].place):
                yield Sum(whole, parts, split in disjoint)


def _find_companions(cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], fewest: int) -> set[int]:
    """Return what must go so that no shown cell leaves a single hidden part, or a small group of them."""
    more: set[int] = set()
    for whole, parts, disjoint in sums:
        gone = [part for part in parts if part in hidden or part in more]
        if not gone or whole in hidden or whole in more:
            continue
        counts = [cells[part].customers for part in gone]
        # Customers may be in several parts at once: all that is certain then is the largest.
        if len(gone) > 1 and (sum(counts) if disjoint else max(counts)) >= fewest:
            continue
        if (smallest := _choose(cells, parts, {*hidden, *more})) is not None:
            more.add(smallest)
    return more


def _find_betrayers(cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int]) -> set[int]:
    """Return, for the first hidden cell that follows from shown ones, the smallest shown cell that it follows from."""
    unknown = [
        {**dict.fromkeys((part for part in one.parts if part in hidden), _PRIME - 1), **_whole(one, hidden)}
        for one in sums
    ]
    for place in sorted(find_determined([row for row in unknown if row])):
        around = {cell for one in sums if place in (one.whole, *one.parts) for cell in (one.whole, *one.parts)}
        if (smallest := _choose(cells, around, hidden)) is not None:
            return {smallest}
    return set()


def _whole(one: Sum, hidden: set[int]) -> dict[int, int]:
    return {one.whole: 1} if one.whole in hidden else {}


def find_determined(rows: Sequence[dict[int, int]]) -> set[int]:
    """Return the unknowns that linear equations determine; each row holds the coefficients of its unknowns."""
    solved: dict[int, dict[int, int]] = {}
    for row in rows:
        left = dict(row)
        for pivot in [unknown for unknown in row if unknown in solved]:
            _subtract(left, solved[pivot], left.get(pivot, 0))
        if not left:
            continue
        pivot, coefficient = next(iter(left.items()))
        inverse = pow(coefficient, -1, _PRIME)
        left = {unknown: value * inverse % _PRIME for unknown, value in left.items()}
        for other in solved.values():
            _subtract(other, left, other.get(pivot, 0))
        solved[pivot] = left
    return {pivot for pivot, row in solved.items() if len(row) == 1}


def _subtract(row: dict[int, int], other: dict[int, int], times: int) -> None:
    if times:
        for unknown, value in other.items():
            if rest := (row.get(unknown, 0) - times * value) % _PRIME:
                row[unknown] = rest
            else:
                row.pop(unknown, None)


def _choose(cells: Sequence[Cell], places: Collection[int], hidden: Collection[int]) -> int | None:
    """Return the smallest of the cells at ``places`` that may still be hidden."""
    shown = [place for place in places if place not in hidden and cells[place].customers and not cells[place].known]
    return min(shown, key=lambda place: (cells[place].customers, place), default=None)
