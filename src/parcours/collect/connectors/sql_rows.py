"""One row of a database as JSON: exact numbers, moments in UTC, and a reason for what has no place in JSON."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from parcours.collect.connectors.contract import Unreadable
from parcours.words import Words

_LARGEST = 2**63
DIGEST_BYTES = 16


class NoJsonError(ValueError):
    """A value that JSON cannot hold; it carries the code and the reason."""

    def __init__(self, code: str, reason: Words) -> None:
        self.code = code
        self.reason = reason
        super().__init__(code)


def write_record(row: Mapping[str, Any], place: str) -> bytes | Unreadable:
    """Return a row as a JSON object, or why it cannot be one.

    Moments with an offset are in UTC (``Z``), those without stay as they are and mean the source's zone; decimals are
    texts, so that no digit is lost; durations are whole milliseconds.
    """
    plain: dict[str, Any] = {}
    refused: NoJsonError | None = None
    for column, value in row.items():
        try:
            plain[column] = to_json(value, column)
        except NoJsonError as error:
            refused = refused or error
    body = msgspec.json.encode(plain)
    return body if refused is None else Unreadable(refused.code, refused.reason, body, place)


def to_json(value: Any, column: str) -> Any:
    """Return a value as JSON's own kinds.

    Raises:
        NoJsonError: ``bytes_in_column`` or ``type_unknown``.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, dt.datetime):
        return write_moment(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value // dt.timedelta(milliseconds=1)
    if isinstance(value, Mapping):
        return {str(key): to_json(one, column) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one, column) for one in value]
    if isinstance(value, UUID | ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(value)
    raise _refuse(value, column)


def write_value(value: Any) -> str:
    """Return a cursor or key value as a text that tells it from any other."""
    return write_moment(value) if isinstance(value, dt.datetime) else str(value)


def write_moment(moment: dt.datetime) -> str:
    """Return a moment in ISO 8601: in UTC when it has an offset, as it stands when it has none."""
    if moment.tzinfo is None:
        return moment.isoformat()
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def digest_row(cursor: str, key: str, record: bytes) -> bytes:
    """Return what tells a row that has been delivered from every other."""
    return blake2b(msgspec.msgpack.encode([cursor, key, record]), digest_size=DIGEST_BYTES).digest()


def _number(value: float | Decimal) -> int | float | str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else str(value)
    return value if math.isfinite(value) else str(value)


def _refuse(value: Any, column: str) -> NoJsonError:
    if isinstance(value, bytes | bytearray | memoryview):
        return NoJsonError(
            "bytes_in_column",
            Words(
                f"La colonne « {column} » contient des octets bruts : ôtez-la de la source, ou rendez-la en texte par "
                "query:.",
                f"The column “{column}” holds raw bytes: take it out of the source, or turn it into text in query:.",
            ),
        )
    kind = type(value).__name__
    return NoJsonError(
        "type_unknown",
        Words(
            f"La colonne « {column} » contient une valeur de type {kind} : convertissez-la en texte dans query:.",
            f"The column “{column}” holds a value of type {kind}: turn it into text in query:.",
        ),
    )
