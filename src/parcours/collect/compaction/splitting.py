"""A body into its events, each with its own bytes; where one of them breaks the JSON, the others are still found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from parcours.collect.journal.delivery import BATCH, ROWS, Delivery

Piece: TypeAlias = msgspec.Raw | bytes
"""One JSON value as it was written, a view into its body where that can be."""

NOTHING = msgspec.Raw(b"")

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],]', re.DOTALL)
_MEMBER = re.compile(rb'\s*"([^"\\]*)"\s*:')
_FAULTS = (msgspec.DecodeError, UnicodeError, RecursionError)


class _Envelope(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]
    sentAt: msgspec.Raw = NOTHING  # noqa: N815 - the wire's own name
    context: msgspec.Raw = NOTHING
    integrations: msgspec.Raw = NOTHING


class Split(msgspec.Struct, frozen=True, gc=False):
    """The events of a delivery, and what its envelope says of all of them (empty where it says nothing)."""

    items: Sequence[Piece]
    sent: Piece = NOTHING
    context: Piece = NOTHING
    integrations: Piece = NOTHING


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


def split(delivery: Delivery) -> Split | None:
    """Return the events of a delivery; nothing when they cannot be told apart.

    msgspec refuses a whole body for half a character in it, and so for one event all others. Such a body is taken
    apart by its brackets and commas alone; what is wrong with an event shows when it is read.
    """
    body = delivery.body
    if delivery.kind == BATCH:
        try:
            read = _decode_envelope(body)
        except _FAULTS:
            return _scan_envelope(body)
        return Split(read.batch, read.sentAt, read.context, read.integrations)
    if delivery.kind == ROWS:
        try:
            return Split(_decode_rows(body))
        except _FAULTS:
            items = _children(body, b"[")
            return None if items is None else Split(items)
    return Split((body,))


def alone(delivery: Delivery, parts: Split, first: int, count: int = 1) -> Delivery:
    """Return ``count`` events of a delivery, from number ``first`` on, as a delivery that says the same of them."""
    if delivery.kind not in (BATCH, ROWS) or (count == len(parts.items) and delivery.kind == ROWS):
        return delivery
    items = b",".join(parts.items[first : first + count])
    if delivery.kind == ROWS:
        return msgspec.structs.replace(delivery, body=b"[%b]" % items)
    named = ((b"sentAt", parts.sent), (b"context", parts.context), (b"integrations", parts.integrations))
    rest = b"".join(b',"%b":%b' % (name, bytes(value)) for name, value in named if len(value))
    return msgspec.structs.replace(delivery, body=b'{"batch":[%b]%b}' % (items, rest))


def _scan_envelope(body: bytes) -> Split | None:
    members = _children(body, b"{")
    if members is None:
        return None
    found = {}
    for member in members:
        match = _MEMBER.match(member)
        if match:
            found[match[1]] = member[match.end() :].strip()
    items = _children(found.get(b"batch", b""), b"[")
    if items is None:
        return None
    rest = (found.get(name, b"") for name in (b"sentAt", b"context", b"integrations"))
    return Split(items, *rest)


def _children(data: bytes, opening: bytes) -> list[bytes] | None:
    """Return what stands between the commas of the one container that ``data`` is; nothing when it is none."""
    start = len(data) - len(data.lstrip())
    if data[start : start + 1] != opening:
        return None
    depth, begin = 0, start + 1
    found: list[bytes] = []
    for token in _TOKEN.finditer(data, start):
        mark = token[0]
        if mark == b'"':  # A text that never ends.
            return None
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
        if depth == 0 or (depth == 1 and mark == b","):
            found.append(data[begin : token.start()].strip())
            begin = token.end()
        if depth == 0:
            break
    if depth or data[begin:].strip():
        return None
    found = [] if found == [b""] else found
    return None if b"" in found else found
