"""Tests of deadlines: the date of the next month, or the last day of a shorter one, and no end on a weekend."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from parcours.know.rights.deadlines import find_deadline


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        ("2026-03-10", 1, "2026-04-10"),
        ("2026-01-31", 1, "2026-03-02"),  # 28 February is a Saturday: the Monday after it.
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-10", 3, "2026-06-10"),
        ("2026-04-11", 1, "2026-05-11"),
        ("2026-04-10", 1, "2026-05-11"),  # A Sunday.
    ],
)
def test_the_last_day(received: str, months: int, due: str) -> None:
    at_ms = int(datetime.fromisoformat(f"{received}T12:00:00+00:00").timestamp() * 1000)
    last = find_deadline(at_ms, months, "UTC")
    assert datetime.fromtimestamp(last / 1000, UTC).isoformat(timespec="milliseconds") == f"{due}T23:59:59.999+00:00"


def test_the_day_is_that_of_the_company(tmp_path: object) -> None:
    late_ms = int(datetime.fromisoformat("2026-03-10T23:30:00+00:00").timestamp() * 1000)
    paris = datetime.fromtimestamp(find_deadline(late_ms, 1, "Europe/Paris") / 1000, UTC)
    # In Paris it was received on 11 March, and 11 April 2026 is a Saturday.
    assert paris.isoformat(timespec="seconds") == "2026-04-13T21:59:59+00:00"
