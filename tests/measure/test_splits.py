"""How rows are parted: weeks, months and groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parcours.measure.questions import Questions
from parcours.measure.splits import encode, find_periods, group_customers, quote_group, write_period


@given(st.datetimes(datetime(1972, 1, 1), datetime(2100, 1, 1)))
def test_weeks_start_on_monday_and_months_on_the_first(moment: datetime) -> None:
    at = np.array([round(moment.replace(tzinfo=UTC).timestamp() * 1000)])
    week = datetime.fromtimestamp(find_periods(at, "week")[0] / 1000, UTC)
    month = datetime.fromtimestamp(find_periods(at, "month")[0] / 1000, UTC)
    moment = datetime.fromtimestamp(at[0] / 1000, UTC)
    assert week.isocalendar()[:2] == moment.isocalendar()[:2]
    assert (week.weekday(), week.hour, week.minute) == (0, 0, 0)
    assert (month.year, month.month, month.day, month.hour) == (moment.year, moment.month, 1, 0)


def test_periods_are_written_as_dates() -> None:
    monday = 1_767_571_200_000
    assert (write_period(monday, "week"), write_period(monday, "month")) == ("2026-01-05", "2026-01")


def test_labels_are_coded_in_order_and_the_unknown_last() -> None:
    found = encode(np.array(["b", None, "a", "b"], dtype=object))
    assert found.labels == ["a", "b", None]
    assert found.codes.tolist() == [1, 2, 0, 1]


def test_each_customer_has_the_group_of_the_customers_table(make_rows: Callable[..., Any]) -> None:
    rows = make_rows([[(0, 1.0)], [(1, 1.0)], [(2, 1.0)]], groups=["new", None, "old"])
    found = group_customers(Questions(rows), "segment")
    assert [found.labels[code] for code in found.codes] == ["new", None, "old"]


def test_a_group_with_quotes_stays_one_column_name() -> None:
    assert quote_group('a"b') == '"group_a""b"'
