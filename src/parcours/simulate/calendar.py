"""The firm's year: fifty-two weeks on the stores' clock, and how exports write a moment."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]

ZONE = "Europe/Paris"
WEEKS = 52
START_S = int(np.datetime64("2025-01-06T00:00:00", "s").astype(np.int64))
DAY_S = 86_400
WEEK_S = 7 * DAY_S
END_S = START_S + WEEKS * WEEK_S
"""Seconds of local wall-clock time: Monday 6 January 2025 to Sunday 4 January 2026."""

NEVER = -1
"""A moment that has not come."""


def open_hours(day_s: Ints, random: np.random.Generator, first: int = 8, last: int = 20) -> Ints:
    """Return a moment between two hours of each day; days are seconds at midnight."""
    return day_s + random.integers(first * 3600, last * 3600, len(day_s))


def in_week(week: Ints, random: np.random.Generator, days: int = 7) -> Ints:
    """Return a moment in opening hours of one of the first ``days`` of each week."""
    return open_hours(START_S + week * WEEK_S + random.integers(0, days, len(week)) * DAY_S, random)


def week_of(moment_s: Ints) -> Ints:
    """Return the week, from 0, in which each moment falls."""
    return (moment_s - START_S) // WEEK_S


def write_french(moment_s: Ints) -> pa.Array:
    """Return moments as 31/12/2025 18:05:00 on the stores' clock; `NEVER` becomes null."""
    return pc.strftime(_stamps(moment_s), format="%d/%m/%Y %H:%M:%S")


def write_iso(moment_s: Ints, wait_s: Ints | int = 0) -> pa.Array:
    """Return moments, ``wait_s`` true seconds later, as 2025-12-31T17:05:00Z in UTC; `NEVER` becomes null.

    The wait is added after the conversion: across a change of clocks, local time would gain or lose an hour.
    """
    later = pc.add(_universal(moment_s).cast(pa.int64()), pa.array(np.broadcast_to(wait_s, moment_s.shape)))
    text = pc.replace_substring(later.cast(pa.timestamp("s")).cast(pa.string()), " ", "T")
    return pc.binary_join_element_wise(text, "Z", "")


def write_epoch(moment_s: Ints) -> pa.Array:
    """Return moments in epoch milliseconds, UTC; `NEVER` becomes null."""
    return pc.multiply(_universal(moment_s).cast(pa.int64()), 1000)


def _stamps(moment_s: Ints) -> pa.Array:
    return pa.array(moment_s, mask=moment_s == NEVER).cast(pa.timestamp("s"))


def _universal(moment_s: Ints) -> pa.Array:
    zoned = pc.assume_timezone(_stamps(moment_s), ZONE, ambiguous="earliest", nonexistent="latest")
    return zoned.cast(pa.timestamp("s", "UTC"))
