"""What a measure shows to roles that see groups alone: its rows over a fixed lattice of splits, small cells hidden."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.know import FEWEST, Cell, Place, hide
from parcours.measure.contract import Column, Counted, Measure, Result
from parcours.words import Words

HIDDEN, PARTLY = "hidden", "partly_hidden"
SEEN = Column("seen", Words(fr="Affichage", en="Shown"))
"""The column that says of each row whether it is hidden."""

_AXES = ("touchpoint", "stage", "channel", "week", "scale", "source", "target", "operation", "kind")
"""The columns that say what the customers of a row have in common, beside the group that a split names."""

SAYS_WHAT = frozenset({"group", "month", "metric", "unit", "owner", "touchpoints", "level", *_AXES})
"""The columns that say what a row is about, and nothing of what was found."""

_TOTAL = "total"
_MANY = 1 << 40

Results = Mapping[str | None, Result]
Row = dict[str, Any]


class _Shown(NamedTuple):
    """Where a cell of the lattice is shown: a row of the result of a split, and what of it is counted there."""

    by: str | None
    row: int
    counted: Counted


def suppress(measure: Measure, blueprint: Blueprint, results: Results) -> dict[str | None, Result]:
    """Return the results of ``measure`` with all that tells of fewer than ten customers, or betrays it, hidden.

    Args:
        measure: It says which of its columns count customers.
        blueprint: The one that was measured with.
        results: The answer of each split of the lattice, ``None`` without a split, all of one moment.
    """
    if measure.nested:
        return {by: hide_levels(measure, result) for by, result in results.items()}
    cells: list[Cell] = []
    shown: list[_Shown | None] = []
    for by, result in results.items():
        for place, row in enumerate(result.rows):
            for cell, counted in _find_cells(measure, blueprint, by, row):
                cells.append(cell)
                shown.append(None if counted is None else _Shown(by, place, counted))
    cells += _find_totals([cell.place for cell in cells])
    hidden = hide(cells, {cell.split for cell in cells if _shares_nobody(cell.split)})
    gone: dict[tuple[str | None, int], list[Counted]] = {}
    for place in sorted(hidden):
        if place < len(shown) and (at := shown[place]) is not None:
            gone.setdefault((at.by, at.row), []).append(at.counted)
    return {by: _hide_rows(measure, by, result, gone) for by, result in results.items()}


def hide_rows_at(result: Result, measure: Measure, touchpoints: Collection[str]) -> Result:
    """Return ``result`` with the rows of these touchpoints hidden: another measure hides them, on the same answers."""
    gone = {
        (result.by, place): [measure.counted[0]]
        for place, row in enumerate(result.rows)
        if row.get("touchpoint") in touchpoints and row.get("seen") != HIDDEN
    }
    return _hide_rows(measure, result.by, result, gone) if gone else result


def hide_levels(measure: Measure, result: Result) -> Result:
    """Return ``result``, each of whose rows counts some of the customers of the row before, with small groups hidden.

    A row is shown where it counts ten at least, or nobody, and leaves ten at least, or nobody, of the one shown before
    it: what is between any two shown rows adds up from these. A row behind a hidden one tells nothing of the step.
    """
    column, first = measure.counted[0].column, result.rows[0] if result.rows else {}
    rows, last, known = [], 0, True
    for row in result.rows:
        count = int(row[column] or 0)
        if _is_small(count) or _is_small(last - count):
            rows.append(blank_row(row, HIDDEN) | {"seen": HIDDEN})
            known = False
            continue
        gone = {name for name in measure.nested if not known and row.get(name) is not None}
        if row is not first and rows[0]["seen"] == HIDDEN:
            gone |= {name for name in row if name not in (SAYS_WHAT | {column})}
        left = {name: None if name in gone else value for name, value in row.items()}
        rows.append(left | {"seen": PARTLY if gone else None})
        last, known = count, True
    hidden, partly = (sum(row["seen"] == state for row in rows) for state in (HIDDEN, PARTLY))
    told = (*_tell(hidden, partly, len(rows)), *result.warnings)
    n = 0 if not rows or rows[0]["seen"] == HIDDEN else result.n
    return msgspec.structs.replace(result, rows=tuple(rows), columns=(*result.columns, SEEN), warnings=told, n=n)


def find_hidden_touchpoints(result: Result) -> frozenset[str]:
    """Return the touchpoints whose own row is hidden."""
    return frozenset(str(row["touchpoint"]) for row in result.rows if row.get("seen") == HIDDEN)


def place_row(blueprint: Blueprint, by: str | None, row: Row) -> Place:
    """Return what the customers of a row have in common: a touchpoint's stage and channel are said with it."""
    axes = {name: str(row[name]) for name in _AXES if row.get(name) is not None}
    if by is not None and by.startswith("group:"):
        axes[by] = str(row["group"])
    for touchpoint in blueprint.touchpoints:
        if touchpoint.id == axes.get("touchpoint"):
            axes |= {"stage": touchpoint.stage, "channel": touchpoint.channel}
    return frozenset(axes.items())


def _find_cells(measure: Measure, blueprint: Blueprint, by: str | None, row: Row) -> list[tuple[Cell, Counted | None]]:
    """Return the group that a row is about, and those inside it; what is left of one is a cell too."""
    place, first = place_row(blueprint, by, row), measure.counted[0]
    found: list[tuple[Cell, Counted | None]] = [(Cell(f"{by}", place, int(row[first.column] or 0)), first)]
    axes: dict[str, Place] = {first.column: frozenset()}
    for counted in measure.counted[1:]:
        if row.get(counted.column) is None:
            continue
        axis, number = counted.among or counted.column, int(row[counted.column])
        within = axes.get(counted.within, frozenset())
        axes[counted.column] = within | {(axis, counted.column)}
        split = f"{by}|{axis}"
        found.append((Cell(split, place | axes[counted.column], number, within=within), counted))
        if counted.within and not counted.among:
            rest = int(row[counted.within] or 0) - number
            found.append((Cell(split, place | within | {(axis, "rest")}, rest, within=within), None))
    return found


def _find_totals(places: Sequence[Place]) -> list[Cell]:
    """Return what is known whatever is hidden: all answers on one scale, all passages from or to one touchpoint."""
    told = {frozenset({pair}) for place in places for pair in place if pair[0] in ("scale", "source", "target")}
    return [Cell(_TOTAL, place, _MANY, known=True) for place in sorted(told, key=sorted)]


def _shares_nobody(split: str) -> bool:
    """Return whether no customer is in two cells of a split: groups of customers, and what becomes of them."""
    return split.startswith("group:") or "|" in split


def _hide_rows(
    measure: Measure, by: str | None, result: Result, gone: Mapping[tuple[str | None, int], Sequence[Counted]]
) -> Result:
    rows = []
    hidden = partly = 0
    for place, row in enumerate(result.rows):
        counted = gone.get((by, place), ())
        shown = _without_small_counts(dict(row))
        if measure.counted[0] in counted:
            shown = blank_row(shown, HIDDEN)
            hidden += 1
        elif counted:
            names = {name for one in counted for name in (one.column, *one.tells)}
            shown = {name: None if name in names else value for name, value in shown.items()}
            partly += 1
        if by == "week":
            # Customers of several weeks do not add up: what is left of their number would tell of those in few.
            shown |= {name: None for name in ("customers", "effective_n") if name in shown}
        shown["seen"] = HIDDEN if measure.counted[0] in counted else PARTLY if counted else None
        rows.append(shown)
    told = (*_tell(hidden, partly, len(rows)), *result.warnings)
    columns = result.columns if SEEN in result.columns else (*result.columns, SEEN)
    n = result.n if hidden < len(rows) else 0
    return msgspec.structs.replace(result, rows=tuple(rows), columns=columns, warnings=told, n=n)


def blank_row(row: Row, state: str) -> Row:
    """Return a row of which nothing is left but what it is about, and why."""
    blank = {name: value if name in SAYS_WHAT else None for name, value in row.items()}
    return blank | {name: state for name in ("state", "kept") if name in row}


def _without_small_counts(row: Row) -> Row:
    """Return a row without a distribution that counts fewer than ten anywhere."""
    return {
        name: None if isinstance(value, dict) and any(_is_small(part) for part in value.values()) else value
        for name, value in row.items()
    }


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and 0 < value < FEWEST


def _tell(hidden: int, partly: int, rows: int) -> tuple[Words, ...]:
    if not hidden and not partly:
        return ()
    return (
        Words(
            fr=f"Masqué pour ce rôle : {hidden} ligne(s) sur {rows}, et une partie de {partly} autre(s). Elles portent "
            f"sur moins de {FEWEST} clients, ou permettraient d'en retrouver une qui porte sur moins.",
            en=f"Hidden from this role: {hidden} of {rows} rows, and a part of {partly} more. They are about fewer "
            f"than {FEWEST} customers, or would let one that is be worked out.",
        ),
    )
