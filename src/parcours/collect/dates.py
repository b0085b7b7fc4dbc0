"""Texts into UTC milliseconds, a column at a time: ISO 8601, strptime formats and epochs, in any time zone."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.rows import Flags, Ints
from parcours.collect.zones import local_to_utc

DAY_MS = 86_400_000
EARLIEST_MS = -2_208_988_800_000
"""1 January 1900: nothing that a customer lived is older."""

EPOCHS = {"epoch_ms": 1, "epoch_s": 1000}
ISO = (
    r"(?P<Y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})"
    r"(?:[T ](?P<H>\d{2})(?::?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?)?"
    r" ?(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?)?"
)
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?)",
    "b": r"(?P<b>\pL+)\.?",
    "%": "%",
}
_SAME = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "B": "%b", "h": "%b"}
_MONTHS = (
    ("jan", "janv", "january", "janvier"),
    ("feb", "fev", "fevr", "february", "fevrier"),
    ("mar", "mars", "march"),
    ("apr", "avr", "april", "avril"),
    ("may", "mai"),
    ("jun", "juin", "june"),
    ("jul", "juil", "july", "juillet"),
    ("aug", "aou", "aout", "august"),
    ("sep", "sept", "september", "septembre"),
    ("oct", "october", "octobre"),
    ("nov", "november", "novembre"),
    ("dec", "december", "decembre"),
)
_MONTH_OF = {name: index for index, names in enumerate(_MONTHS, start=1) for name in names}
_ACCENTS = str.maketrans("éèêûôà", "eeeuoa")


def date_pattern(format: str | None) -> str:
    """Return the regular expression of a strptime ``format`` (nothing: ISO 8601).

    Raises:
        ValueError: a directive that is not known, or no date in the format.
    """
    if format is None:
        return rf"^{ISO}$"
    for name, meaning in _SAME.items():
        format = format.replace(f"%{name}", meaning)
    pieces = []
    for literal, directive in re.findall(r"([^%]+)|%(.?)", format):
        if not literal and directive not in _DIRECTIVES:
            raise ValueError(f"%{directive}")
        pieces.append(re.escape(literal) if literal else _DIRECTIVES.get(directive, ""))
    pattern = "".join(pieces)
    names = re.findall(r"\?P<(.)>", pattern)
    if len(names) != len(set(names)) or not all(set(names) & part for part in ({"d"}, {"m", "b"}, {"Y", "y"})):
        raise ValueError(format)
    return f"^{pattern}$"


def parse_dates(values: pa.Array, format: str | None, zone: str) -> tuple[Ints, Flags]:
    """Return UTC milliseconds and which values could be read; nulls come out unread.

    Args:
        values: Texts without space around them.
        format: ``None`` (ISO 8601), ``epoch_ms``, ``epoch_s`` or a strptime format.
        zone: The zone of local times; a value that says its own offset keeps it.
    """
    if format in EPOCHS:
        return _parse_epochs(values, EPOCHS[format])
    fast = _parse_iso_fast(values, zone) if format is None else None
    return fast or _parse_pattern(values, date_pattern(format), zone)


def _parse_epochs(values: pa.Array, factor: int) -> tuple[Ints, Flags]:
    readable = pc.match_substring_regex(values, r"^-?\d{1,15}(?:\.\d+)?$")
    numbers = pc.cast(pc.if_else(readable, values, None), pa.float64())
    known = np.asarray(pc.is_valid(numbers))
    milliseconds = np.rint(_numpy(numbers, 0) * factor)
    sane = np.abs(milliseconds) < 1e15
    return np.where(sane, milliseconds, 0).astype(np.int64), known & sane


def _parse_iso_fast(values: pa.Array, zone: str) -> tuple[Ints, Flags] | None:
    """Let Arrow read the column when it is all of one kind; nothing when a single value is not."""
    known = np.asarray(pc.is_valid(values))
    for kind, local in ((pa.timestamp("us"), True), (pa.timestamp("us", "UTC"), False)):
        try:
            stamps = pc.cast(values, kind)
        except pa.ArrowInvalid:
            continue
        milliseconds = _numpy(pc.cast(stamps, pa.int64()), 0) // 1000
        return (local_to_utc(milliseconds, zone) if local else milliseconds), known
    return None


def _parse_pattern(values: pa.Array, pattern: str, zone: str) -> tuple[Ints, Flags]:
    found = pc.extract_regex(values, pattern)
    matched = np.asarray(pc.is_valid(found))
    names = [field.name for field in found.type]
    texts = dict(zip(names, found.flatten(), strict=True))

    def number(name: str, default: int) -> Ints:
        if name not in texts:
            return np.full(len(values), default, np.int64)
        digits = pc.if_else(pc.equal(texts[name], ""), None, texts[name])
        return _numpy(pc.cast(digits, pa.int64()), default)

    month = _by_value(texts["b"], _month_of) if "b" in texts else number("m", 1)
    year = number("Y", 1970)
    if "y" in texts:
        short = number("y", 70)
        year = np.where(short < 69, 2000 + short, 1900 + short)
    hour = number("H", 0)
    if "I" in texts:
        hour = number("I", 12) % 12 + 12 * _by_value(texts["p"], _is_afternoon) if "p" in texts else number("I", 12)
    clock, sane = _clock(hour, number("M", 0), number("S", 0))
    milliseconds, real = _civil(year, month, number("d", 1))
    milliseconds = milliseconds + clock
    if "f" in texts:
        milliseconds = milliseconds + _by_value(texts["f"], _fraction_ms)
    readable = matched & sane & real
    milliseconds = np.where(readable, milliseconds, 0)
    if "z" not in texts:
        return local_to_utc(milliseconds, zone), readable
    offsets = _by_value(texts["z"], _offset_ms)
    stated = offsets != _NO_OFFSET
    local = local_to_utc(np.where(stated, 0, milliseconds), zone)
    return np.where(stated, milliseconds - offsets, local), readable


def _clock(hour: Ints, minute: Ints, second: Ints) -> tuple[Ints, Flags]:
    sane = (hour >= 0) & (hour < 24) & (minute < 60) & (second < 60)
    return ((hour * 60 + minute) * 60 + second) * 1000, sane


def _civil(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Flags]:
    """Return the milliseconds of a calendar day at midnight, and whether there is such a day."""
    months = (np.clip(year, 1, 9999) - 1970).astype("M8[Y]").astype("M8[M]") + (np.clip(month, 1, 12) - 1)
    days = months.astype("M8[D]") + (day - 1)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("M8[M]") == months) & (year >= 1)
    return days.astype(np.int64) * DAY_MS, real


_NO_OFFSET = 1 << 40


def _offset_ms(text: str) -> int:
    if not text:
        return _NO_OFFSET
    if text in "Zz":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    return (int(digits[:2]) * 60 + int(digits[2:])) * 60_000 * (-1 if text[0] == "-" else 1)


def _fraction_ms(text: str) -> int:
    return int(text.ljust(3, "0")[:3]) if text else 0


def _month_of(text: str) -> int:
    return _MONTH_OF.get(text.lower().translate(_ACCENTS), 0)


def _is_afternoon(text: str) -> int:
    return int(text[:1] in "pP") if text else 0


def _by_value(texts: pa.Array, function: Callable[[str], int]) -> Ints:
    """Apply ``function`` once to each distinct text."""
    coded = pc.dictionary_encode(pc.fill_null(texts, ""))
    results = np.array([function(text) for text in coded.dictionary.to_pylist()] or [0], np.int64)
    return results[_numpy(coded.indices, 0)]


def _numpy(values: pa.Array, default: int) -> Ints:
    return np.asarray(pc.fill_null(values, default))
