"""The outside of a body: inflated within bounds, known to be JSON, its key and its events found but not understood."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Any

import msgspec

from parcours.collect.journal.delivery import BATCH

_GZIP = 16 + zlib.MAX_WBITS
_MOST_MEMBERS = 64
_ESCAPES = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_SURROGATES = frozenset({b"d8", b"d9", b"da", b"db", b"dc", b"dd", b"de", b"df"})


class RefusedBodyError(Exception):
    """A body that the contract refuses: a short code and a sentence for whoever wrote the client."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class _Many(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]
    writeKey: Any = None  # noqa: N815 - the wire's own name


class _One(msgspec.Struct, gc=False):
    writeKey: Any = None  # noqa: N815


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is known of a body before anybody reads its events: their number, the largest in bytes, the key."""

    events: int
    largest_bytes: int
    write_key: object


_decode_many = msgspec.json.Decoder(_Many).decode
_decode_one = msgspec.json.Decoder(_One).decode


def read_envelope(kind: str, body: bytes, event_bytes: int) -> Envelope:
    """Return what ``body`` holds; sizes are only taken where one could be over ``event_bytes``.

    A batch is not read for what stands in its events: one that is no UTF-8 waits in quarantine later, alone.

    Raises:
        RefusedBodyError: ``invalid_json``, or ``invalid_request`` when ``batch`` is no array.
    """
    try:
        try:
            return _read(kind, body, event_bytes)
        except msgspec.DecodeError:
            mended = mend_surrogates(body)
            if mended is None:
                raise
            return _read(kind, mended, event_bytes)
    except msgspec.ValidationError as fault:
        raise RefusedBodyError("invalid_request", f"The body is not what this address takes: {fault}.") from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise RefusedBodyError("invalid_json", "The body is not valid JSON.") from fault
    except RecursionError as fault:
        raise RefusedBodyError("invalid_json", "The JSON is nested too deeply.") from fault


def _read(kind: str, body: bytes, event_bytes: int) -> Envelope:
    if kind == BATCH:
        many = _decode_many(body)
        return Envelope(len(many.batch), 0, many.writeKey)
    one = _decode_one(body)
    if not body.isascii():
        body.decode("utf-8")
    return Envelope(1, len(body) if len(body) > event_bytes else 0, one.writeKey)


def mend_surrogates(body: bytes) -> bytes | None:
    """Return ``body`` with each half of a surrogate pair that stands alone replaced; nothing when there is none.

    JSON allows such halves, and browsers write them where a text was cut through an emoji; msgspec refuses the whole
    body for one. Only what we look at is mended: what is kept stays as it came.
    """
    mended = _ESCAPES.sub(_mend, body)
    return None if mended == body else mended


def _mend(escape: re.Match[bytes]) -> bytes:
    whole = escape[0]
    return whole if len(whole) != 6 or whole[2:4].lower() not in _SURROGATES else b"\\ufffd"


def inflate(body: bytes, encoding: bytes, most_bytes: int) -> bytes:
    """Return ``body`` unpacked when it is gzip or deflate, whatever its content type says.

    Raises:
        RefusedBodyError: ``body_too_large`` past ``most_bytes``, ``invalid_encoding`` for what is not unpacked.
    """
    packed = body[:2] == b"\x1f\x8b"
    if not packed and encoding in (b"", b"identity"):
        return body
    if packed or encoding in (b"gzip", b"x-gzip"):
        bits = _GZIP
    elif encoding == b"deflate":
        bits = zlib.MAX_WBITS
    else:
        raise RefusedBodyError("invalid_encoding", "Only gzip and deflate are understood.", 415)
    try:
        return _unpack(body, bits, most_bytes)
    except zlib.error as fault:
        raise RefusedBodyError("invalid_encoding", "The body does not unpack.") from fault


def _unpack(body: bytes, bits: int, most_bytes: int) -> bytes:
    """Return what is packed, in one piece or, as gzip allows, in several one after another."""
    plain = b""
    for _ in range(_MOST_MEMBERS):
        machine = zlib.decompressobj(bits)
        plain += machine.decompress(body, most_bytes + 1 - len(plain))
        if len(plain) > most_bytes:
            raise RefusedBodyError("body_too_large", f"The inflated body is over {most_bytes} bytes.")
        if not machine.eof:
            raise RefusedBodyError("invalid_encoding", "The compressed body is cut short.")
        body = machine.unused_data
        if not body:
            return plain
    raise RefusedBodyError("invalid_encoding", "The body is packed in too many pieces.")


def read_pixel_data(data: str) -> bytes:
    """Return the JSON in a pixel's ``data``: base64 of either alphabet, with or without padding, or plain.

    Raises:
        RefusedBodyError: ``invalid_json``.
    """
    text = data.strip()
    if text.startswith("{"):
        return text.encode("utf-8", "surrogateescape")
    coded = text.replace(" ", "+").translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise RefusedBodyError("invalid_json", "data is neither JSON nor base64 of it.") from fault
