"""How the values of a field are compared: from the same through the nearly same down to the different, a level each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parcours.blueprint.records import Compared, Comparison
from parcours.know.linking.records import column_of
from parcours.words import Words

LEVELS: dict[str, Words] = {
    "same": Words(fr="identique", en="the same"),
    "close": Words(fr="presque identique", en="nearly the same"),
    "near": Words(fr="ressemblant", en="alike"),
    "typo": Words(fr="une lettre ou un chiffre de différence", en="one letter or digit apart"),
    "typos": Words(fr="deux chiffres de différence", en="two digits apart"),
    "year": Words(fr="même année, même mois", en="the same year and month"),
    "area": Words(fr="même début", en="the same beginning"),
    "owner": Words(fr="même nom avant l'arobase", en="the same before the @"),
    "other": Words(fr="différent", en="different"),
}
"""The levels of comparison, by the name that a model keeps of each."""

COUNTED: frozenset[Compared] = frozenset({"name", "postcode", "place", "mail"})
"""Kinds of which sharing what few have says more than sharing what many have."""


def describe_comparison(one: Comparison) -> Any:
    """Return a field's comparison as Splink takes it."""
    import splink.comparison_level_library as levels
    from splink import comparison_library

    column = column_of(one.field)
    null = levels.NullLevel(column)
    same = levels.ExactMatchLevel(column)
    if one.compare in COUNTED:
        same = levels.ExactMatchLevel(column, term_frequency_adjustments=True)
    steps = [same.configure(label_for_charts="same"), *_LEVELS[one.compare](levels, column)]
    last = levels.ElseLevel().configure(label_for_charts="other")
    return comparison_library.CustomComparison([null, *steps, last], one.field)


def _edits(levels: Any, column: str, most: int) -> Any:
    """Return the level of values that are ``most`` edits apart or fewer, two letters that changed places counting one.

    Jaro's similarity is a tenth of the work, and whatever few edits change has a high one.
    """
    one, other = f"{column}_l", f"{column}_r"
    apart = f"damerau_levenshtein({one}, {other}) <= {most}"
    return levels.CustomLevel(f"case when jaro_similarity({one}, {other}) > 0.66 then {apart} else false end")


def _words(levels: Any, column: str) -> list[Any]:
    return [
        levels.JaroWinklerLevel(column, 0.92).configure(label_for_charts="close"),
        levels.JaroWinklerLevel(column, 0.8).configure(label_for_charts="near"),
    ]


def _dates(levels: Any, column: str) -> list[Any]:
    return [
        _edits(levels, column, 1).configure(label_for_charts="typo"),
        _edits(levels, column, 2).configure(label_for_charts="typos"),
        levels.CustomLevel(f"left({column}_l, 6) = left({column}_r, 6)").configure(label_for_charts="year"),
    ]


def _postcodes(levels: Any, column: str) -> list[Any]:
    return [
        _edits(levels, column, 1).configure(label_for_charts="typo"),
        levels.CustomLevel(f"left({column}_l, 2) = left({column}_r, 2)").configure(label_for_charts="area"),
    ]


def _mails(levels: Any, column: str) -> list[Any]:
    owner = f"split_part({column}_l, '@', 1) = split_part({column}_r, '@', 1)"
    return [
        _edits(levels, column, 1).configure(label_for_charts="typo"),
        levels.CustomLevel(owner).configure(label_for_charts="owner"),
    ]


def _digits(levels: Any, column: str) -> list[Any]:
    return [_edits(levels, column, 1).configure(label_for_charts="typo")]


_LEVELS: dict[Compared, Callable[[Any, str], list[Any]]] = {
    "name": _words,
    "place": _words,
    "date": _dates,
    "postcode": _postcodes,
    "mail": _mails,
    "phone": _digits,
    "code": _digits,
}
