"""When things happened: times as SDKs write them, and clocks that run wrong put right by when they sent."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.compaction.seen import UNTIMED, days_of
from parcours.collect.dates import DAY_MS, EARLIEST_MS, parse_dates
from parcours.collect.rows import Flags, Ints

_STEP = 1024
_STAMP = pa.timestamp("us", "UTC")
_NUMBER = r"^-?\d{9,16}(?:\.\d+)?$"
"""Shorter ones are dates without dashes."""

_LEAST_EPOCH_MS = 1e11
"""Smaller numbers are seconds: as milliseconds they would lie before March 1973."""

_END_MS = 253_402_300_800_000
"""The year 10000, where dates end."""


class Times(msgspec.Struct, frozen=True):
    """When events happened, in epoch milliseconds.

    Attributes:
        occurred_ms: By the collector's clock, as far as that can be told.
        original_ms, sent_ms: By the client's clock; 0 where ``timed`` or ``sent`` says that it told none.
        day: The day of ``original_ms``, `UNTIMED` where there is none.
        corrected: Whether the client's clock was compared with the collector's.
        unreadable, implausible: What no event may be.
    """

    occurred_ms: Ints
    original_ms: Ints
    timed: Flags
    sent_ms: Ints
    sent: Flags
    day: Ints
    corrected: Flags
    unreadable: Flags
    implausible: Flags


def correct(original: pa.Array, sent_ms: Ints, sent: Flags, received_ms: Ints) -> Times:
    """Return when events happened: ``received - (sent - original)``, which takes the client's own error out.

    Without a readable ``sent`` the client's clock is believed; without ``original`` the event happened when it came.

    Args:
        original: What the client says, as text; null where it says nothing.
        sent_ms: When it sent the event, by the same clock, where ``sent`` says that this is known.
        received_ms: When the event was received.
    """
    original_ms, timed = read_moments(original)
    unreadable = np.asarray(original.is_valid()) & ~timed
    corrected = timed & sent
    told_ms = np.where(sent, received_ms - (sent_ms - original_ms), original_ms)
    occurred_ms = np.where(timed, told_ms, received_ms)
    return Times(
        occurred_ms=occurred_ms,
        original_ms=original_ms,
        timed=timed,
        sent_ms=sent_ms,
        sent=sent,
        day=np.where(timed, days_of(original_ms), UNTIMED),
        corrected=corrected,
        unreadable=unreadable,
        implausible=timed & ((occurred_ms < EARLIEST_MS) | (occurred_ms > received_ms + DAY_MS)),
    )


def read_moments(texts: pa.Array) -> tuple[Ints, Flags]:
    """Return UTC milliseconds, 0 where there are none, and which texts could be read.

    ISO 8601 with or without a fraction and an offset (none: UTC), or seconds or milliseconds since 1970.
    """
    moments, read = np.zeros(len(texts), np.int64), np.zeros(len(texts), bool)
    if texts.null_count == len(texts):
        return moments, read
    for start in range(0, len(texts), _STEP):
        step = texts.slice(start, _STEP)
        rows = slice(start, start + len(step))
        moments[rows], read[rows] = _read_step(step)
    return moments, read


def _read_step(texts: pa.Array) -> tuple[Ints, Flags]:
    try:
        stamps = pc.cast(texts, _STAMP)
    except pa.ArrowInvalid:
        return _read_slowly(texts)
    moments = np.asarray(pc.fill_null(stamps.view(pa.int64()), 0)) // 1000
    return moments, np.asarray(texts.is_valid())


def _read_slowly(texts: pa.Array) -> tuple[Ints, Flags]:
    numeric = pc.match_substring_regex(texts, _NUMBER)
    moments, read = parse_dates(texts, None, "UTC")
    numbers = np.asarray(pc.fill_null(pc.cast(pc.if_else(numeric, texts, None), pa.float64()), np.nan))
    known = np.isfinite(numbers)
    numbers = np.where(known, numbers, 0.0)
    epochs = np.rint(np.where(np.abs(numbers) < _LEAST_EPOCH_MS, numbers * 1000, numbers))
    known &= np.abs(epochs) < _END_MS
    moments = np.where(known, epochs, np.where(read, moments, 0)).astype(np.int64)
    return moments, read | known
