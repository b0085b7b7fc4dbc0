"""The measure contract: one module, one measure; a frozen description and one function from an `Ask` to a `Result`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

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
    """What a measure is asked: the rows that one purpose may see, the blueprint, and a split."""

    rows: Permitted
    blueprint: Blueprint
    by: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a measure answers: rows with their intervals and counts, and how they were made.

    ``period`` is (first, last) occurrence in epoch milliseconds of what was measured; ``n`` the sample size, in the
    unit that ``definition`` says.
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


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: its name, the question it answers, its unit and source, its splits, and the function."""

    name: str
    question: Words
    unit: Words
    source: str
    inputs: tuple[str, ...]
    columns: tuple[Column, ...]
    splits: tuple[str, ...] = ()
    compute: Callable[[Ask], Result]
