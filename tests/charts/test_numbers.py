"""How numbers, money, durations and dates are written in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.charts.numbers import (
    BROAD,
    MINUS,
    MISSING,
    NARROW,
    write_date,
    write_duration,
    write_durations,
    write_interval,
    write_moment,
    write_money,
    write_number,
    write_period,
    write_share,
    write_value,
)


def test_french_groups_with_narrow_spaces_and_a_comma() -> None:
    assert write_number(1234567.891, "fr", 2) == f"1{NARROW}234{NARROW}567,89"
    assert write_number(1234567.891, "en", 2) == "1,234,567.89"


def test_the_minus_is_a_true_one_and_zero_has_no_sign() -> None:
    assert write_number(-3.2, "fr", 1) == f"{MINUS}3,2"
    assert write_number(-0.04, "fr", 1, signed=True) == "0,0"
    assert write_number(0.5, "en", 1, signed=True) == "+0.5"


@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_what_is_written_reads_back(value: float, decimals: int) -> None:
    written = write_number(value, "fr", decimals)
    read = float(written.replace(NARROW, "").replace(",", ".").replace(MINUS, "-"))
    assert read == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-6)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_missing_is_a_dash(value: float | None) -> None:
    assert write_number(value, "fr") == write_share(value, "en") == write_money(value, "fr") == MISSING
    assert write_duration(value, "fr") == MISSING


def test_shares_and_their_interval_say_the_unit_once() -> None:
    low, high = write_share(0.554, "fr", 1), write_share(0.61, "fr", 1)
    assert low == f"55,4{NARROW}%"
    assert write_interval(low, high, "fr") == f"55,4{BROAD}à{BROAD}61,0{NARROW}%"
    assert write_interval("55%", "61%", "en") == f"55{BROAD}to{BROAD}61%"
    assert write_interval(MISSING, "61%", "en") == MISSING


def test_money_is_short_and_places_its_sign() -> None:
    assert write_money(3_184_000, "fr") == f"3,2{BROAD}M€"
    assert write_money(3_184_000, "en") == "€3.2M"
    assert write_money(-250_000, "en") == f"{MINUS}€250k"
    assert write_money(812, "fr", "CHF") == f"812{BROAD}CHF"


def test_durations_take_their_largest_unit() -> None:
    assert write_duration(36 * 3_600_000, "fr") == f"1,5{BROAD}j"
    assert write_duration(90_000, "en") == f"1.5{BROAD}min"
    assert write_duration(45_000, "en") == f"45{BROAD}s"


def test_dates_are_those_of_the_zone() -> None:
    new_year_paris = 1_767_222_000_000  # 31 December 2025, 23:00 UTC
    assert write_date(new_year_paris, "fr", "Europe/Paris") == f"1er{BROAD}janv.{BROAD}2026"
    assert write_date(new_year_paris, "en", "UTC") == f"31{BROAD}Dec{BROAD}2025"
    assert write_period(None, "fr") == MISSING


def test_cells_are_written_by_their_kind() -> None:
    assert write_value(0.173, "share", "fr") == f"17,3{NARROW}%"
    assert write_value(12_000, "count", "en") == "12,000"
    assert write_value(True, "text", "fr") == "oui"
    assert write_value([1, 2], "count", "en") == "1, 2"
    assert write_value(0.5, "number", "en", decimals=3) == "0.500"
    assert write_value("", "text", "en") == MISSING


def test_durations_that_stand_together_stay_apart() -> None:
    day = 86_400_000
    assert write_durations((14.0 * day, 13.8 * day, 14.3 * day), "fr") == [
        f"{x}\u00a0j" for x in ("14,0", "13,8", "14,3")
    ]
    assert write_durations((14.0 * day, 12.0 * day, 16.0 * day), "en") == [f"{x}\u00a0d" for x in (14, 12, 16)]
    assert write_durations((14.0 * day, None, 14.0 * day), "en")[0] == "14\u00a0d"


def test_a_moment_is_written_where_the_company_is() -> None:
    at_ms = 1_770_127_500_000  # 3 February 2026, 14:05 UTC
    assert write_moment(at_ms, "fr", "Europe/Paris") == f"3{BROAD}févr.{BROAD}2026 à{BROAD}15:05"
    assert write_moment(at_ms, "en") == f"3{BROAD}Feb{BROAD}2026, 14:05"
