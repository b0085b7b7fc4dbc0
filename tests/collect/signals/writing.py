"""Writes TCF strings, the other way round from the decoder: for properties, and for strings that no library writes."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from parcours.collect.signals.tcf import Publisher, TcString, Vendors


def bits(value: int, width: int) -> str:
    """Return a number as so many bits."""
    return f"{value:0{width}b}" if width else ""


def text(field: str) -> str:
    """Return bits as base64url, filled up to whole groups of four letters."""
    field += "0" * (-len(field) % 24)
    data = int(field, 2).to_bytes(len(field) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def letters(pair: str) -> str:
    """Return two letters as bits."""
    return "".join(bits(ord(letter) - ord("A"), 6) for letter in pair)


def marks(numbers: Iterable[int], width: int) -> str:
    """Return which of so many bits are set."""
    return bits(sum(1 << (width - number) for number in numbers), width)


def ranges(vendors: Vendors) -> str:
    """Return vendors as ranges."""
    parts = [bits(len(vendors.ranges), 12)]
    for first, last in vendors.ranges:
        parts.append("0" + bits(first, 16) if first == last else "1" + bits(first, 16) + bits(last, 16))
    return "".join(parts)


def vendors_field(vendors: Vendors, as_ranges: bool) -> str:
    """Return vendors as ranges or as a field of bits."""
    most = vendors.ranges[-1][1] if vendors.ranges else 0
    if as_ranges:
        return bits(most, 16) + "1" + ranges(vendors)
    every = [number for first, last in vendors.ranges for number in range(first, last + 1)]
    return bits(most, 16) + "0" + marks(every, most)


def core(string: TcString, as_ranges: bool = False) -> str:
    """Return the core segment as bits."""
    parts = [
        bits(2, 6),
        bits(string.created_ms // 100, 36),
        bits(string.updated_ms // 100, 36),
        bits(string.cmp_id, 12),
        bits(string.cmp_version, 12),
        bits(string.screen, 6),
        letters(string.language),
        bits(string.vendor_list, 12),
        bits(string.policy, 6),
        bits(string.service_specific, 1),
        "0",
        marks(string.special_features, 12),
        marks(string.consents, 24),
        marks(string.interests, 24),
        bits(string.purpose_one_treatment, 1),
        letters(string.country),
        vendors_field(string.vendor_consents, as_ranges),
        vendors_field(string.vendor_interests, as_ranges),
        bits(len(string.restrictions), 12),
    ]
    for one in string.restrictions:
        parts += [bits(one.purpose, 6), bits(one.kind, 2), ranges(one.vendors)]
    return "".join(parts)


def publisher_field(own: Publisher) -> str:
    """Return the publisher's own purposes as bits."""
    custom = max([0, *own.custom_consents, *own.custom_interests])
    parts = [bits(3, 3), marks(own.consents, 24), marks(own.interests, 24), bits(custom, 6)]
    return "".join([*parts, marks(own.custom_consents, custom), marks(own.custom_interests, custom)])


def write_tcf(string: TcString, as_ranges: bool = False) -> str:
    """Return the whole string."""
    segments = [core(string, as_ranges)]
    if string.disclosed is not None:
        segments.append(bits(1, 3) + vendors_field(string.disclosed, as_ranges))
    if string.allowed is not None:
        segments.append(bits(2, 3) + vendors_field(string.allowed, as_ranges))
    if string.publisher is not None:
        segments.append(publisher_field(string.publisher))
    return ".".join(map(text, segments))
