"""Google Consent Mode v2: its four signals, each granted or denied; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from parcours.blueprint.records import ConsentSignal
from parcours.collect.signals.bits import UndecodableError

SIGNALS: tuple[str, ...] = get_args(ConsentSignal)
MOST_CHARACTERS = 4_096
_SAID = {"granted": True, "denied": False}


def decode_consent_mode(said: Any) -> dict[str, bool]:
    """Return whether each signal that stands in ``said`` is granted.

    ``said`` is an object, its JSON, or ``name=value`` pairs with commas, semicolons or spaces between them. Names that
    are none of the four are passed over, for Google defines further ones.

    Raises:
        UndecodableError: it is none of these, says something else than granted or denied, or the same twice.
    """
    found: dict[str, bool] = {}
    for name, value in _read_pairs(said):
        if name not in SIGNALS:
            continue
        if not isinstance(value, str) or value not in _SAID:
            raise UndecodableError("unknown_value")
        if name in found:
            raise UndecodableError("said_twice")
        found[name] = _SAID[value]
    if not found:
        raise UndecodableError("no_signal")
    return found


def _read_pairs(said: Any) -> list[tuple[str, Any]]:
    if isinstance(said, Mapping):
        return [(str(name), value) for name, value in said.items()]
    if not isinstance(said, str):
        raise UndecodableError("wrong_type")
    if len(said) > MOST_CHARACTERS:
        raise UndecodableError("too_long")
    text = said.strip()
    if not text:
        raise UndecodableError("empty")
    if text.startswith("{"):
        try:
            read = msgspec.json.decode(text.encode("utf-8", "surrogatepass"), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UndecodableError("not_json") from None
        return list(read.items())
    pairs = [pair.partition("=") for pair in text.replace(",", " ").replace(";", " ").split()]
    if not all(name and equals for name, equals, _ in pairs):
        raise UndecodableError("not_pairs")
    return [(name, value) for name, _, value in pairs]
