"""By when a request must be answered: one month, two more where that is told in time (GDPR art. 12(3))."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS, MORE_MONTHS = 1, 2
SOON_DAYS = 7
"""From so many days before its deadline on, a request is told of."""


def find_deadline(received_ms: int, months: int, zone: str) -> int:
    """Return the last millisecond of the day on which an answer is due, ``months`` after a request was received.

    The period ends with the day of the same date, or the last one of a shorter month; one that falls on a Saturday or
    Sunday ends with the Monday after it (Regulation (EEC, Euratom) 1182/71, art. 3(2)(c) and (4)). Public holidays,
    which would give more time still, are not known here.
    """
    local = datetime.fromtimestamp(received_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date()
    last = _add_months(local, months)
    last += timedelta(days=max(0, 7 - last.weekday()) if last.weekday() >= 5 else 0)
    end = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone))
    return int(end.timestamp() * 1000) - 1


def _add_months(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
