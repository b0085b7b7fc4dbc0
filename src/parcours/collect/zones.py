"""Local times into UTC by the rules of a time zone, a column at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from parcours.collect.rows import Ints

_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def local_to_utc(local_ms: Ints, zone: str) -> Ints:
    """Return the UTC milliseconds of local clock times in ``zone``.

    An hour that happens twice (clocks go back) means its first occurrence; one that never happens (clocks go
    forward) moves on by the time that was skipped, as `zoneinfo` has it for ``fold=0``.
    """
    if zone == "UTC" or not len(local_ms):
        return local_ms
    days, places = np.unique(local_ms // _DAY_MS, return_inverse=True)
    opening = np.array([_offset_ms(zone, day * _DAY_MS) for day in days.tolist()], np.int64)
    closing = np.array([_offset_ms(zone, (day + 1) * _DAY_MS) for day in days.tolist()], np.int64)
    offsets = opening[places]
    # Only on the few days when the clocks change does each time have to be looked up itself.
    changing = np.flatnonzero((opening != closing)[places])
    offsets[changing] = [_offset_ms(zone, moment) for moment in local_ms[changing].tolist()]
    return local_ms - offsets


def is_zone(name: str) -> bool:
    """Return whether ``name`` is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=1 << 16)
def _offset_ms(zone: str, local_ms: int) -> int:
    try:
        offset = (_EPOCH + timedelta(milliseconds=local_ms)).replace(tzinfo=ZoneInfo(zone)).utcoffset()
    except OverflowError:
        return 0
    return round(offset.total_seconds() * 1000) if offset else 0
