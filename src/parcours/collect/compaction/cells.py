"""JSON values into Arrow columns: texts, numbers and choices, with the rows whose value is of another kind."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.amounts import parse_numbers, scale_numbers
from parcours.collect.rows import clean

_DECIMAL = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$"
_NONE_TYPE = type(None)
_LONGEST_NUMBER = 400
_MOST_BITS = 1023
_NO_ROWS: tuple[int, ...] = ()


def read_texts(values: Sequence[Any], bools: bool = False) -> tuple[pa.Array, Sequence[int]]:
    """Return values as texts without the space around them, and the rows that hold neither text nor number.

    Args:
        values: What stood in the JSON; ``None`` where there was nothing.
        bools: Whether ``true`` and ``false`` are texts too.
    """
    try:
        return tidy(pa.array(values, pa.string())), _NO_ROWS
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        pass
    texts: list[str | None] = []
    wrong = []
    for row, value in enumerate(values):
        text = as_text(value, bools)
        texts.append(text)
        if text is None and value is not None:
            wrong.append(row)
    return tidy(pa.array(texts, pa.string())), wrong


def read_plain_texts(values: Sequence[Any]) -> tuple[pa.Array, Sequence[int]]:
    """Return values as texts, and the rows that hold anything else: a number is no comment."""
    try:
        return tidy(pa.array(values, pa.string())), _NO_ROWS
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        wrong = [row for row, value in enumerate(values) if type(value) not in (str, _NONE_TYPE)]
        texts = [value if type(value) is str else None for value in values]
        return tidy(pa.array(texts, pa.string())), wrong


def read_numbers(values: Sequence[Any], factor: float) -> tuple[pa.Array, Sequence[int]]:
    """Return numbers times ``factor``, and the rows whose value is neither a finite number nor a plain decimal text."""
    numbers, wrong = _read_plain_numbers(values)
    if factor == 1:
        return numbers, wrong
    valid = np.asarray(numbers.is_valid())
    with np.errstate(over="ignore"):
        scaled = scale_numbers(np.asarray(numbers.fill_null(0.0)), factor)
    finite = np.isfinite(scaled)
    return pa.array(scaled, mask=~(valid & finite)), [*wrong, *np.flatnonzero(~finite).tolist()]


def read_choices(values: Sequence[Any], yes: frozenset[str]) -> tuple[pa.Array, Sequence[int]]:
    """Return choices, and the rows whose value is none: it grants nothing and refuses nothing.

    ``true`` and ``false`` speak for themselves; a text or number is a choice where ``yes`` says which ones grant.
    """
    if set(map(type, values)) <= {bool, _NONE_TYPE}:
        return pa.array(values, pa.bool_()), _NO_ROWS
    choices: list[bool | None] = []
    unread = []
    for row, value in enumerate(values):
        text = "" if value is None or type(value) is bool else (as_text(value) or "").strip().lower()
        if type(value) is bool:
            choices.append(value)
        elif text and yes:
            choices.append(text in yes)
        else:
            choices.append(None)
            if value is not None:
                unread.append(row)
    return pa.array(choices, pa.bool_()), unread


def as_text(value: Any, bools: bool = False) -> str | None:
    """Return a text, number or (with ``bools``) truth value as text; nothing for anything else."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return ("false", "true")[value] if bools else None
    if type(value) is int:
        return str(value) if value.bit_length() <= _MOST_BITS else None
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return None


def tidy(texts: pa.Array) -> pa.Array:
    """Return texts without the space around them, empty ones as null; the same array when that changes nothing."""
    _, offsets_buffer, data_buffer = texts.buffers()
    if not len(texts) or data_buffer is None or not data_buffer.size:
        return clean(texts) if len(texts) > texts.null_count else texts
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, np.uint8)
    starts, ends = offsets[:-1], offsets[1:]
    filled = starts < ends
    empty = len(texts) - int(np.count_nonzero(filled)) > texts.null_count
    first, last = data[np.minimum(starts, len(data) - 1)], data[ends - 1]
    # Letters outside ASCII may begin or end with a space of another script: those are left to the slow way.
    outer = ((first - 0x21 > 0x5E) | (last - 0x21 > 0x5E)) & filled
    return clean(texts) if empty or outer.any() else texts


def rows_with_nul(texts: pa.Array) -> Sequence[int]:
    """Return the rows whose text holds the character NUL."""
    data = texts.buffers()[2]
    if data is None or data.to_pybytes().find(b"\0") < 0:
        return _NO_ROWS
    return [row for row, text in enumerate(texts.to_pylist()) if text is not None and "\0" in text]


def _read_plain_numbers(values: Sequence[Any]) -> tuple[pa.Array, Sequence[int]]:
    kinds = set(map(type, values))
    if kinds <= {float, int, _NONE_TYPE}:
        try:
            return pa.array(values, pa.float64()), _NO_ROWS
        except pa.ArrowInvalid:  # A whole number that a float does not hold exactly.
            return _read_numbers_slowly(values)
    if kinds <= {str, _NONE_TYPE}:
        texts = tidy(pa.array(values, pa.string()))
        found, read = parse_numbers(pc.if_else(pc.match_substring_regex(texts, _DECIMAL), texts, None), ".")
        return pa.array(found, mask=~read), np.flatnonzero(np.asarray(texts.is_valid()) & ~read).tolist()
    return _read_numbers_slowly(values)


def _read_numbers_slowly(values: Sequence[Any]) -> tuple[pa.Array, Sequence[int]]:
    numbers: list[float | None] = []
    wrong = []
    for row, value in enumerate(values):
        number = _as_number(value)
        numbers.append(number)
        if number is None and value is not None and not (type(value) is str and not value.strip()):
            wrong.append(row)
    return pa.array(numbers, pa.float64()), wrong


def _as_number(value: Any) -> float | None:
    if type(value) is str:
        text = value.strip()
        value = float(text) if len(text) <= _LONGEST_NUMBER and re.match(_DECIMAL, text, re.ASCII) else None
    elif type(value) is int:
        value = float(value) if value.bit_length() <= _MOST_BITS else None
    elif type(value) is not float:
        return None
    return value if value is not None and math.isfinite(value) else None
