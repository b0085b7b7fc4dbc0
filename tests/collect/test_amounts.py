"""Numbers: decimal commas, thousands and units; what is no number is never guessed."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from parcours.collect.amounts import is_unit, parse_numbers, unit_factor


def parse(texts: list[str | None], decimal: str = ".", factor: float = 1.0) -> list[float | None]:
    numbers, read = parse_numbers(pa.array(texts, pa.string()), decimal, factor)
    assert all(math.isnan(number) for number, known in zip(numbers, read, strict=True) if not known)
    return [number if known else None for number, known in zip(numbers.tolist(), read.tolist(), strict=True)]


def test_decimal_commas_and_every_thousands_separator() -> None:
    texts = ["1 234,5", "1\u202f234\u202f567,89", "1\u00a0234", "1.234,5", "1'234", "12", "-3,5", ",5", "12 €", "7,5 %"]
    assert parse(texts, ",") == [1234.5, 1234567.89, 1234.0, 1234.5, 1234.0, 12.0, -3.5, 0.5, 12.0, 7.5]
    assert parse(["1,234.5", "1 234", "1e3", "5."]) == [1234.5, 1234.0, 1000.0, 5.0]


@pytest.mark.parametrize("text", ["abc", "1,5", "1.2.3", "12,34,567", "nan", "inf", "-", "--1", "1 23", "0x10"])
def test_what_is_no_number_is_not_read(text) -> None:
    assert parse([text, "1", None]) == [None, 1.0, None]


def test_units_convert_exactly() -> None:
    assert parse(["1990", "5"], factor=unit_factor("cents", "eur")) == [19.9, 0.05]
    assert unit_factor("min", "h") == pytest.approx(1 / 60)
    assert unit_factor("h", "min") == 60
    assert (unit_factor("percent", "share"), unit_factor("eur", "cents"), unit_factor(None, None)) == (0.01, 100.0, 1.0)
    assert unit_factor("EUR", "eur") == 1.0
    assert unit_factor("eur", "usd") is unit_factor("s", "eur") is None
    assert parse(["90"], factor=unit_factor("min", "h")) == [1.5]


def test_units_that_are_known() -> None:
    assert all(map(is_unit, ["ms", "s", "min", "h", "d", "cents", "eur", "CHF", "share", "percent"]))
    assert not any(map(is_unit, ["parsec", "", "€€€€"]))
