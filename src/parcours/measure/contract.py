"""The measure contract: one module, one measure; a frozen description and one function from an `Ask` to a `Result`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from parcours.errors import ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.blueprint.records import Blueprint
    from parcours.know import Permitted

Kind = Literal["text", "count", "number", "share", "milliseconds", "money"]


class Column(msgspec.Struct, frozen=True):
    """A column of a measure's rows: its name, its heading, and how its values are written."""

    name: str
    label: Words
    kind: Kind = "text"


class Ask(msgspec.Struct, frozen=True):
    """What a measure is asked: the rows that one purpose may see, the blueprint, and a split.

    ``window_ms`` narrows a funnel to so many milliseconds after its first step; other measures have no use for it.
    """

    rows: Permitted
    blueprint: Blueprint
    by: str | None = None
    window_ms: int | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a measure answers: rows with their intervals and counts, and how they were made.

    ``period`` is (first, last) occurrence in epoch milliseconds of what was measured; ``n`` the sample size, in the
    unit that ``definition`` says. Every row holds at least ``columns``, in a table's order; what more it holds, the
    same in each row, is for pages.
    """

    measure: str
    question: Words
    unit: Words
    period: tuple[int, int] | None
    n: int
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    definition: Words
    sql: str
    method: Words
    purpose: str
    by: str | None = None
    warnings: tuple[Words, ...] = ()


class Counted(msgspec.Struct, frozen=True):
    """A column that counts the customers of a group of which other columns tell something.

    The first one of a measure counts the group that a whole row is about.

    Attributes:
        column: Its name.
        tells: The columns that tell of this group, and are hidden with it.
        within: The column that counts the whole that this group is part of; what is left of it is a group too.
        among: A name that several groups share which together make up ``within``: then nothing is left of it.
    """

    column: str
    tells: tuple[str, ...] = ()
    within: str = ""
    among: str = ""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: its name, its question, unit, definition, method and source, its splits, and the function.

    A split that ends in ``group`` stands for one split a group of the blueprint (``group:<id>``). ``columns`` are
    those without a split; a split may put its own column first. ``counted`` says which columns count customers; a
    measure that says nothing is not shown to roles that see groups alone. ``lattice`` are the splits that these roles
    are offered: no two-way ones, and no two periods that overlap. ``nested`` are the columns that rest on the row
    before, where each row counts some of the customers of that one; then there is no lattice.
    """

    name: str
    question: Words
    unit: Words
    definition: Words
    method: Words
    source: str
    inputs: tuple[str, ...]
    columns: tuple[Column, ...]
    splits: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()
    lattice: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    compute: Callable[[Ask], Result]

    def answer(
        self,
        ask: Ask,
        rows: Sequence[dict[str, Any]],
        *,
        n: int,
        period: tuple[int, int] | None,
        sql: str,
        warnings: Sequence[Words],
        before: tuple[Column, ...] = (),
        after: tuple[Column, ...] = (),
    ) -> Result:
        """Return ``rows`` with all that this measure says of itself; a split adds columns ``before`` and ``after``."""
        return Result(
            measure=self.name,
            question=self.question,
            unit=self.unit,
            period=period,
            n=n,
            columns=(*before, *self.columns, *after),
            rows=tuple(rows),
            definition=self.definition,
            sql=sql,
            method=self.method,
            purpose=ask.rows.purpose,
            by=ask.by,
            warnings=tuple(warnings),
        )

    def splits_for(self, blueprint: Blueprint) -> tuple[str, ...]:
        """Return the splits that this measure offers for ``blueprint``, each group by its id."""
        return self._name_splits(blueprint, self.splits)

    def lattice_for(self, blueprint: Blueprint) -> tuple[str, ...]:
        """Return those of the splits that roles which see groups alone are offered."""
        return self._name_splits(blueprint, self.lattice)

    @staticmethod
    def _name_splits(blueprint: Blueprint, splits: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for split in splits:
            groups = [f"{split}:{group.id}" for group in blueprint.groups]
            found += groups if split.endswith("group") else [split]
        return tuple(found)

    def check_split(self, blueprint: Blueprint, by: str | None) -> None:
        """Raise `ParcoursError` ``unknown_split`` when this measure cannot be split so."""
        known = self.splits_for(blueprint)
        if by is None or by in known:
            return
        listed = ", ".join(known)
        raise ParcoursError(
            "unknown_split",
            Words(fr=f"« {self.name} » ne se ventile pas par « {by} ».", en=f"“{self.name}” has no split “{by}”."),
            Words(
                fr=f"Ventilations possibles : {listed or 'aucune'}.",
                en=f"Possible splits: {listed or 'none'}.",
            ),
        )
