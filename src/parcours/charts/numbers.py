"""How numbers, shares, money, durations and dates are written in French and in English."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from parcours.words import Language, Words

NARROW = "\u202f"  # no-break, narrow: French thousands, and before ; : ! ? %
BROAD = "\u00a0"  # no-break, full width
MINUS = "\u2212"
DASH = "\u2013"
MISSING = "\u2014"

_MONTHS = {
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF"}
_DURATIONS = (
    (86_400_000, {"fr": "j", "en": "d"}),
    (3_600_000, {"fr": "h", "en": "h"}),
    (60_000, {"fr": "min", "en": "min"}),
)


def is_missing(value: Any) -> bool:
    """Say whether ``value`` is nothing to write: ``None`` or not a number."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def write_number(value: float | None, language: Language, decimals: int = 0, signed: bool = False) -> str:
    """Write ``value`` with grouped thousands and ``decimals`` places; a dash when it is missing.

    French groups with narrow no-break spaces from five digits on and writes a decimal comma; the minus is a true one.
    """
    if value is None or is_missing(value):
        return MISSING
    text = f"{abs(value):,.{decimals}f}"
    zero = not any(character in "123456789" for character in text)
    if language == "fr":
        text = text.replace(",", NARROW).replace(".", ",")
    sign = "" if zero else MINUS if value < 0 else "+" if signed else ""
    return sign + text


def counted(count: int, one: Words, many: Words) -> Words:
    """Say ``count`` things: ``{count}`` in ``one`` or ``many`` is its place.

    In French nothing at all is singular, in English it is plural.
    """
    return Words(
        fr=(one if count < 2 else many).fr.replace("{count}", write_number(count, "fr")),
        en=(one if count == 1 else many).en.replace("{count}", write_number(count, "en")),
    )


def write_share(value: float | None, language: Language, decimals: int = 0, signed: bool = False) -> str:
    """Write a share between 0 and 1 as a percentage."""
    if value is None or is_missing(value):
        return MISSING
    unit = f"{NARROW}%" if language == "fr" else "%"
    return write_number(100 * value, language, decimals, signed) + unit


def write_money(value: float | None, language: Language, currency: str = "EUR") -> str:
    """Write an amount in units of ``currency``, rounded to what a reader can hold: k and M above 10,000."""
    if value is None or is_missing(value):
        return MISSING
    scale, suffix = (1e6, "M") if abs(value) >= 1e6 else (1e3, "k") if abs(value) >= 1e4 else (1.0, "")
    shown = value / scale
    text = write_number(shown, language, 1 if suffix and abs(shown) < 100 else 0)
    symbol = _SYMBOLS.get(currency, currency)
    if language == "fr":
        return f"{text}{BROAD}{suffix}{symbol}"
    if len(symbol) > 1:
        return f"{symbol}{BROAD}{text}{suffix}"
    return f"{MINUS}{symbol}{text[1:]}{suffix}" if text.startswith(MINUS) else f"{symbol}{text}{suffix}"


def write_duration(value_ms: float | None, language: Language, finer: int = 0) -> str:
    """Write a duration in its largest fitting unit: days, hours, minutes or seconds; ``finer`` adds decimals."""
    if value_ms is None or is_missing(value_ms):
        return MISSING
    for unit_ms, names in _DURATIONS:
        if abs(value_ms) >= unit_ms:
            size = value_ms / unit_ms
            return f"{write_number(size, language, (0 if abs(size) >= 10 else 1) + finer)}{BROAD}{names[language]}"
    return f"{write_number(value_ms / 1000, language, finer)}{BROAD}s"


def write_durations(values_ms: Sequence[float | None], language: Language) -> list[str]:
    """Write durations that stand together, with one more decimal where two that differ would read the same."""
    known = [value for value in values_ms if not is_missing(value)]
    texts = {write_duration(value, language) for value in known}
    finer = int(len(texts) < len(set(known)))
    return [write_duration(value, language, finer) for value in values_ms]


def write_date(value_ms: int, language: Language, zone: str = "UTC", year: bool = True) -> str:
    """Write the day of ``value_ms`` (epoch) in ``zone``: `3 févr. 2026`, `3 Feb 2026`; `1er` for a French first."""
    day = datetime.fromtimestamp(value_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    text = f"{number}{BROAD}{_MONTHS[language][day.month - 1]}"
    return f"{text}{BROAD}{day.year}" if year else text


def write_moment(value_ms: int, language: Language, zone: str = "UTC") -> str:
    """Write the day and the minute of ``value_ms`` (epoch) in ``zone``: `3 févr. 2026 à 14:05`, `3 Feb 2026, 14:05`."""
    minute = datetime.fromtimestamp(value_ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")
    return f"{write_date(value_ms, language, zone)}{f' à{BROAD}' if language == 'fr' else ', '}{minute}"


def write_period(period: tuple[int, int] | None, language: Language, zone: str = "UTC") -> str:
    """Write the first and last day of ``period`` (epoch milliseconds); a dash when there is none."""
    if period is None:
        return MISSING
    return f"{write_date(period[0], language, zone)} {DASH} {write_date(period[1], language, zone)}"


def write_interval(low: str, high: str, language: Language) -> str:
    """Join two written bounds; the unit is said once when both share it."""
    for unit in (f"{NARROW}%", "%"):
        if low.endswith(unit) and high.endswith(unit):
            low = low.removesuffix(unit)
            break
    if MISSING in (low, high):
        return MISSING
    joint = f"{BROAD}à{BROAD}" if language == "fr" else f"{BROAD}to{BROAD}"
    return f"{low}{joint}{high}"


def write_value(value: Any, kind: str, language: Language, currency: str = "EUR", decimals: int | None = None) -> str:
    """Write a cell of a measure's row by its column ``kind`` (see the measure contract).

    ``decimals`` fixes the places of a plain number, so that a column lines up.
    """
    if is_missing(value) or value == "":
        return MISSING
    if isinstance(value, bool):
        return {"fr": "oui" if value else "non", "en": "yes" if value else "no"}[language]
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(write_value(item, kind, language, currency, decimals) for item in value)
    writers = {
        "count": lambda: write_number(value, language),
        "share": lambda: write_share(value, language, 1),
        "milliseconds": lambda: write_duration(value, language),
        "money": lambda: write_money(value, language, currency),
        "number": lambda: write_number(value, language, _places(value, decimals)),
    }
    return writers[kind]() if kind in writers else str(value)


def _places(value: float, decimals: int | None) -> int:
    if isinstance(value, int):
        return 0
    return decimals_for(value) if decimals is None else decimals


def decimals_for(value: float) -> int:
    """Return how many places keep about three significant digits of ``value``."""
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 or value == 0 else 3
