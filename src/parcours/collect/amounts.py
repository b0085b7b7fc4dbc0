"""Texts into numbers, a column at a time: decimal commas, thousands separators, and units."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.rows import Flags

_DIMENSIONS: tuple[dict[str, float], ...] = (
    {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000},
    {"percent": 0.01, "share": 1},
)
_CENTS = "cents"
_CURRENCY = re.compile(r"^[A-Za-z]{3}$")
_SPACES = "\u0020\u00a0\u2007\u2009\u202f"
"""Spaces that group thousands: plain, no-break, figure, thin, narrow no-break."""


def unit_factor(unit: str | None, to: str | None) -> float | None:
    """Return by what a number in ``unit`` is multiplied to be in ``to``; nothing when they do not convert."""
    if unit is None or to is None or unit.lower() == to.lower():
        return 1.0
    for scale in _DIMENSIONS:
        if unit in scale and to in scale:
            return scale[unit] / scale[to]
    if unit == _CENTS and _is_currency(to):
        return 0.01
    if to == _CENTS and _is_currency(unit):
        return 100.0
    return None


def is_unit(unit: str) -> bool:
    """Return whether ``unit`` is a duration, a share or money."""
    return unit == _CENTS or any(unit in scale for scale in _DIMENSIONS) or _is_currency(unit)


def _is_currency(unit: str) -> bool:
    return bool(_CURRENCY.match(unit)) and unit != "min"


def parse_numbers(values: pa.Array, decimal: str, factor: float = 1.0) -> tuple[npt.NDArray[np.float64], Flags]:
    """Return numbers times ``factor`` (NaN where there is none) and which values could be read.

    Args:
        values: Texts without space around them; nulls come out unread.
        decimal: ``.`` or ``,``. Spaces, apostrophes and the other of the two may group thousands by three.
        factor: From `unit_factor`.
    """
    known = np.asarray(pc.is_valid(values))
    try:
        if decimal != ".":
            raise pa.ArrowInvalid("no fast way")
        parsed = pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        parsed = _parse_slowly(values, decimal)
    numbers = np.asarray(pc.fill_null(parsed, np.nan))
    finite = np.isfinite(numbers)
    numbers = np.where(finite, numbers, np.nan)
    return scale_numbers(numbers, factor), known & finite


def scale_numbers(numbers: npt.NDArray[np.float64], factor: float) -> npt.NDArray[np.float64]:
    """Return ``numbers`` times a ``factor`` from `unit_factor`."""
    # Dividing by a whole number is exact where multiplying by its inverse is not: 1990 cents are 19.9.
    return numbers / round(1 / factor) if 0 < factor < 1 and (1 / factor).is_integer() else numbers * factor


def _parse_slowly(values: pa.Array, decimal: str) -> pa.Array:
    point = re.escape(decimal)
    other = re.escape("," if decimal == "." else ".")
    bare = pc.replace_substring_regex(values, rf"[{_SPACES}]?[%€$£]$", "")
    group = rf"[{_SPACES}'’{other}]"
    plain = rf"[+-]?(?:\d+{point}?\d*|{point}\d+)(?:[eE][+-]?\d+)?"
    grouped = rf"[+-]?\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d*)?"
    readable = pc.match_substring_regex(bare, f"^(?:{plain}|{grouped})$")
    digits = pc.replace_substring_regex(pc.if_else(readable, bare, None), group, "")
    return pc.cast(pc.replace_substring(digits, decimal, "."), pa.float64())
