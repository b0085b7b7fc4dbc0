"""Strings of the IAB Europe Transparency and Consent Framework 2.3, strictly decoded: anything unclean is refused."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from parcours.collect.signals.bits import Bits, UndecodableError

VERSION: Final = 2
LATEST_POLICY: Final = 5
"""The policy of TCF 2.3; what a later one means by its bits nobody can tell yet."""

DISCLOSED_FROM_MS: Final = 1_772_236_800_000
"""28 February 2026 (UTC): strings written since then must say which vendors were disclosed."""

MOST_CHARACTERS: Final = 32_768
CONSENT_ALONE: Final = frozenset((1, 3, 4, 5, 6))
"""Purposes that cannot rest on a legitimate interest (TCF policies since 2.2)."""

_DISCLOSED, _ALLOWED, _PUBLISHER = 1, 2, 3
_NOT_ALLOWED, _REQUIRE_CONSENT, _REQUIRE_INTEREST = 0, 1, 2


class Vendors(msgspec.Struct, frozen=True):
    """Vendor ids as rising ranges, both ends included."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, vendor: int) -> bool:
        return any(first <= vendor <= last for first, last in self.ranges)


class Restriction(msgspec.Struct, frozen=True):
    """What the publisher requires of some vendors for a purpose: 0 not at all, 1 consent, 2 a legitimate interest."""

    purpose: int
    kind: int
    vendors: Vendors


class Publisher(msgspec.Struct, frozen=True):
    """The publisher's own purposes: those of the framework, and custom ones."""

    consents: frozenset[int]
    interests: frozenset[int]
    custom_consents: frozenset[int]
    custom_interests: frozenset[int]


class TcString(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded string; moments are epoch milliseconds, ``disclosed`` and ``publisher`` are there where written."""

    created_ms: int
    updated_ms: int
    cmp_id: int
    cmp_version: int
    screen: int
    language: str
    vendor_list: int
    policy: int
    service_specific: bool
    special_features: frozenset[int]
    consents: frozenset[int]
    interests: frozenset[int]
    purpose_one_treatment: bool
    country: str
    vendor_consents: Vendors
    vendor_interests: Vendors
    restrictions: tuple[Restriction, ...]
    disclosed: Vendors | None = None
    allowed: Vendors | None = None
    publisher: Publisher | None = None


def decode_tcf(text: object) -> TcString:
    """Return what a TCF string says.

    Source: IAB Tech Lab, "Consent string and vendor list formats v2", with TCF 2.3 (2025).

    Raises:
        UndecodableError: whatever is not exactly such a string, with the reason in a word.
    """
    if not isinstance(text, str):
        raise UndecodableError("wrong_type")
    if not text:
        raise UndecodableError("empty")
    if len(text) > MOST_CHARACTERS:
        raise UndecodableError("too_long")
    core, *others = text.split(".")
    found = _read_core(Bits(core))
    for segment in others:
        found = _read_segment(Bits(segment), found)
    if found.disclosed is None and found.updated_ms >= DISCLOSED_FROM_MS:
        raise UndecodableError("no_disclosed_vendors")
    return found


def grants(string: TcString, purposes: tuple[int, ...], vendor: int | None, interest: bool) -> bool:
    """Return whether a string allows every one of ``purposes`` to ``vendor``, or to the publisher where that is none.

    With ``interest`` the purposes rest on a legitimate interest: then the string must say that people were told of it
    and did not object.
    """
    if interest and CONSENT_ALONE & set(purposes):
        return False
    if vendor is None:
        own = string.publisher
        allowed = string.interests if interest else string.consents
        if own is not None:
            allowed = own.interests if interest else own.consents
        return allowed >= set(purposes)
    if string.disclosed is not None and vendor not in string.disclosed:
        return False
    named, allowed = string.vendor_consents, string.consents
    if interest:
        named, allowed = string.vendor_interests, string.interests
    ruled_out = (_NOT_ALLOWED, _REQUIRE_CONSENT if interest else _REQUIRE_INTEREST)
    restricted = {one.purpose for one in string.restrictions if one.kind in ruled_out and vendor in one.vendors}
    return vendor in named and allowed >= set(purposes) and not restricted & set(purposes)


def _read_core(bits: Bits) -> TcString:
    if bits.number(6) != VERSION:
        raise UndecodableError("unknown_version")
    created_ms, updated_ms = 100 * bits.number(36), 100 * bits.number(36)
    cmp_id, cmp_version, screen = bits.number(12), bits.number(12), bits.number(6)
    language, vendor_list, policy = bits.letters(), bits.number(12), bits.number(6)
    if cmp_id < 2 or not vendor_list or not created_ms or updated_ms < created_ms:
        raise UndecodableError("impossible")
    if not VERSION <= policy <= LATEST_POLICY:
        raise UndecodableError("unknown_policy")
    service_specific, _ = bits.flag(), bits.flag()
    special_features, consents, interests = bits.numbers(12), bits.numbers(24), bits.numbers(24)
    purpose_one_treatment, country = bits.flag(), bits.letters()
    vendor_consents, vendor_interests = _read_vendors(bits), _read_vendors(bits)
    restrictions = tuple(_read_restriction(bits) for _ in range(bits.number(12)))
    if len({(one.purpose, one.kind) for one in restrictions}) < len(restrictions):
        raise UndecodableError("said_twice")
    bits.end()
    return TcString(
        created_ms=created_ms,
        updated_ms=updated_ms,
        cmp_id=cmp_id,
        cmp_version=cmp_version,
        screen=screen,
        language=language,
        vendor_list=vendor_list,
        policy=policy,
        service_specific=service_specific,
        special_features=special_features,
        consents=consents,
        interests=interests,
        purpose_one_treatment=purpose_one_treatment,
        country=country,
        vendor_consents=vendor_consents,
        vendor_interests=vendor_interests,
        restrictions=restrictions,
    )


def _read_segment(bits: Bits, core: TcString) -> TcString:
    kind = bits.number(3)
    name = {_DISCLOSED: "disclosed", _ALLOWED: "allowed", _PUBLISHER: "publisher"}.get(kind)
    if name is None:
        raise UndecodableError("unknown_segment")
    if getattr(core, name) is not None:
        raise UndecodableError("said_twice")
    said = _read_publisher(bits) if kind == _PUBLISHER else _read_vendors(bits)
    bits.end()
    return msgspec.structs.replace(core, **{name: said})


def _read_publisher(bits: Bits) -> Publisher:
    consents, interests, custom = bits.numbers(24), bits.numbers(24), bits.number(6)
    return Publisher(consents, interests, bits.numbers(custom), bits.numbers(custom))


def _read_vendors(bits: Bits) -> Vendors:
    most = bits.number(16)
    if bits.flag():
        return _read_ranges(bits, most)
    field = f"{bits.number(most):0{most}b}"
    return Vendors(tuple((run.start() + 1, run.end()) for run in re.finditer("1+", field)))


def _read_ranges(bits: Bits, most: int) -> Vendors:
    ranges: list[tuple[int, int]] = []
    for _ in range(bits.number(12)):
        many, first = bits.flag(), bits.number(16)
        last = bits.number(16) if many else first
        if not (ranges[-1][1] if ranges else 0) < first <= last <= most:
            raise UndecodableError("bad_range")
        ranges.append((first, last))
    return Vendors(tuple(ranges))


def _read_restriction(bits: Bits) -> Restriction:
    purpose, kind = bits.number(6), bits.number(2)
    if not 1 <= purpose <= 24 or kind > _REQUIRE_INTEREST:
        raise UndecodableError("bad_restriction")
    return Restriction(purpose, kind, _read_ranges(bits, (1 << 16) - 1))
