"""How a record is written in YAML: the names of its fields, its short forms, and its durations."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from parcours.blueprint.records import EventMatch, Step
from parcours.words import Words

_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000, "ms": 1}
DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)?(w|d|h|min|s|ms)$"
_DURATION = re.compile(DURATION_PATTERN)

SHORT_FORMS: dict[type, str] = {EventMatch: "name", Step: "touchpoint"}
"""Records that may be written as one word, and the field that this word fills."""


def yaml_name(field: str) -> str:
    """Return a field's name in YAML: durations lose their ``_ms``, words of Python's own their ``_``."""
    return field.removesuffix("_ms").removesuffix("_")


def is_duration(field: str) -> bool:
    """Say whether a field is written as a duration: its name in Python states milliseconds."""
    return field.endswith("_ms")


def parse_duration(text: str) -> int:
    """Return a duration such as ``30d`` or ``1.5h`` in milliseconds; `ValueError` when it is none."""
    match = _DURATION.match(text.strip())
    if not match:
        raise ValueError(text)
    unit = match.group(2)
    return round(float(text.strip().removesuffix(unit)) * _UNITS[unit])


def write_duration(milliseconds: int) -> str:
    """Return milliseconds in the largest unit that divides them."""
    for unit in ("d", "h", "min", "s"):
        if milliseconds and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms"


def to_plain(value: Any) -> Any:
    """Return a record as the plain data that YAML holds; fields at their default are left out."""
    if isinstance(value, Words):
        return {language: text for language, text in (("fr", value.fr), ("en", value.en)) if text}
    if isinstance(value, msgspec.Struct):
        return _shorten(type(value), _plain_fields(value))
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def _plain_fields(record: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if not field.required and value == field.default:
            continue
        if not field.required and value in ((), {}):
            continue
        name = yaml_name(field.name)
        plain[name] = write_duration(value) if is_duration(field.name) else to_plain(value)
    return plain


def _shorten(record: type, plain: dict[str, Any]) -> Any:
    word = SHORT_FORMS.get(record)
    return plain[word] if word and set(plain) == {word} else plain
