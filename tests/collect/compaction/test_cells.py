"""Values into columns: whatever stands in a JSON, against the plainest reading of it."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.compaction.cells import (
    read_choices,
    read_numbers,
    read_plain_texts,
    read_texts,
    rows_with_nul,
    tidy,
)
from parcours.collect.rows import clean

PLAIN = st.none() | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ANY = PLAIN | st.booleans() | st.just({}) | st.just([1])
COLUMNS = st.lists(st.none() | st.text(max_size=8)) | st.lists(st.none() | st.floats(-1e9, 1e9)) | st.lists(ANY)


@given(COLUMNS, st.booleans())
def test_texts(values, bools) -> None:
    column, wrong = read_texts(values, bools)
    expected = [row for row, value in enumerate(values) if value is not None and not _is_text(value, bools)]
    assert list(wrong) == expected
    for value, kept in zip(values, column.to_pylist(), strict=True):
        if isinstance(value, str):
            assert kept == (clean(pa.array([value]))[0].as_py())
        elif isinstance(value, bool):
            assert kept == (("true" if value else "false") if bools else None)
        elif isinstance(value, int | float):
            assert type(value)(kept) == value
        else:
            assert kept is None


def _is_text(value: Any, bools: bool) -> bool:
    return isinstance(value, str | int | float) and (bools or not isinstance(value, bool))


@given(COLUMNS)
def test_plain_texts(values) -> None:
    column, wrong = read_plain_texts(values)
    assert list(wrong) == [row for row, value in enumerate(values) if not isinstance(value, str | None)]
    texts = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
    assert column.to_pylist() == clean(texts).to_pylist()


@given(
    COLUMNS | st.lists(st.from_regex(r"[ +-]?[0-9.,e+-]{0,6} ?", fullmatch=True)), st.sampled_from([1.0, 0.01, 60.0])
)
def test_numbers(values, factor) -> None:
    column, wrong = read_numbers(values, factor)
    for row, (value, kept) in enumerate(zip(values, column.to_pylist(), strict=True)):
        number = _number(value)
        if number is None:
            assert kept is None
            filled = value is not None and not (isinstance(value, str) and not clean(pa.array([value]))[0].is_valid)
            assert (row in wrong) == filled
        else:
            assert row not in wrong
            assert kept is not None
            assert math.isclose(kept, number * factor)


def _number(value: Any) -> float | None:
    """Return what a person takes for a number: a JSON number, or digits with at most one point and an exponent."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str):
        text = value.strip()
        digits = text.lstrip("+-").lower()
        head, _, tail = digits.partition("e")
        plain = len(text) - len(text.lstrip("+-")) <= 1 and head.replace(".", "", 1).isdecimal() and head.isascii()
        plain = plain and ("e" not in digits or tail.lstrip("+-").isdecimal())
        plain = plain and len(tail) - len(tail.lstrip("+-")) <= 1 and len(tail.lstrip("+-")) <= 4
        if not plain:
            return None
        value = text
    number = float(value)
    return number if math.isfinite(number) else None


@pytest.mark.parametrize(
    "value", ["NaN", "inf", "1e999", "-Infinity", "1_000", "0x1", "1,5", "٣", "1 000", "1e", "", True, [], {}]
)
def test_what_is_no_number_is_none_beside_texts_and_beside_numbers(value) -> None:
    for beside in ("1.5", 1.5, 2**80, None):
        column, wrong = read_numbers([beside, value], 1.0)
        assert column[1].as_py() is None
        assert list(wrong) == ([] if value == "" else [1])


def test_a_number_stays_finite_in_another_unit() -> None:
    column, wrong = read_numbers([1e308, 1.0], 60.0)
    assert (column.to_pylist(), list(wrong)) == ([None, 60.0], [0])
    column, wrong = read_numbers(["1e308", "1"], 60.0)
    assert (column.to_pylist(), list(wrong)) == ([None, 60.0], [0])
    assert read_numbers([1990, 5], 0.01)[0].to_pylist() == [19.9, 0.05]


def test_choices() -> None:
    values = [True, False, None, "Oui", " non ", 1, 0, "", [], 1.0]
    column, unread = read_choices(values, frozenset({"oui", "1"}))
    assert column.to_pylist() == [True, False, None, True, False, True, False, None, None, True]
    assert list(unread) == [7, 8]
    column, unread = read_choices(values, frozenset())
    assert (column.to_pylist(), list(unread)) == ([True, False] + [None] * 8, [3, 4, 5, 6, 7, 8, 9])


@given(st.lists(st.none() | st.text(alphabet=" a\u00e9\u00a0\u2003\n\0", max_size=4)), st.integers(0, 3))
def test_tidying_changes_only_space(values, skipped) -> None:
    texts = pa.array(values, pa.string()).slice(skipped)
    assert tidy(texts).to_pylist() == clean(texts).to_pylist()
    assert list(rows_with_nul(texts)) == [row for row, text in enumerate(values[skipped:]) if text and "\0" in text]
