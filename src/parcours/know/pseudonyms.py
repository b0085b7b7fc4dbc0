"""Keyed pseudonyms: 63-bit numbers that stand for identifiers and objects outside the vault."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS

Numbers = npt.NDArray[np.int64]

NOBODY = -1
"""Where no identifier stands."""

_TYPE_SHIFT = 61
_HASH_MASK = (1 << _TYPE_SHIFT) - 1
BUCKETS = 16


def digest_identifiers(kind: str, values: Sequence[str], key: bytes) -> tuple[Numbers, Numbers]:
    """Return the pseudonyms of normalised ``values`` and a fingerprint each, by which a collision shows.

    A pseudonym is two bits of type (strongest first, as in `IDENTIFIERS`) over 61 bits of keyed BLAKE2b (RFC 7693);
    the fingerprint is 63 further bits of the same digest.
    """
    halves = _digest(values, key, f"id:{kind}", 16).reshape(-1, 2)
    tag = IDENTIFIERS.index(kind) << _TYPE_SHIFT
    return (halves[:, 0] & _HASH_MASK) | tag, halves[:, 1] & np.int64(2**63 - 1)


def digest_objects(kind: str, values: Sequence[str], key: bytes) -> Numbers:
    """Return the 63-bit pseudonyms of object ids of type ``kind`` (order, ticket, parcel)."""
    return _digest(values, key, f"object:{kind}", 8) & np.int64(2**63 - 1)


def checksums(rows: npt.NDArray[np.int64], key: bytes) -> Numbers:
    """Return one keyed 63-bit checksum for each line of ``rows`` (n × columns)."""
    width = rows.shape[1] * 8
    packed = np.ascontiguousarray(rows, dtype="<i8").tobytes()
    lines = [packed[start : start + width] for start in range(0, len(packed), width)]
    digests = b"".join([blake2b(line, key=key, digest_size=8, person=b"row").digest() for line in lines])
    return np.frombuffer(digests, "<i8").astype(np.int64) & np.int64(2**63 - 1)


def quick_checksums(rows: npt.NDArray[np.int64]) -> Numbers:
    """Return one 64-bit checksum for each line of ``rows`` (n × columns), against damage and not against an attacker.

    The mixing is that of SplitMix64 (Steele, Lea and Flood 2014), a column at a time.
    """
    state = np.full(len(rows), np.uint64(rows.shape[1]))
    for column in range(rows.shape[1]):
        state = (state + np.uint64(0x9E3779B97F4A7C15)) ^ np.ascontiguousarray(rows[:, column]).view(np.uint64)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return state.view(np.int64)


def types_of(pseudonyms: Numbers) -> npt.NDArray[np.int8]:
    """Return the type of each pseudonym as its place in `IDENTIFIERS`."""
    return (pseudonyms >> _TYPE_SHIFT).astype(np.int8)


def buckets_of(pseudonyms: Numbers) -> npt.NDArray[np.int8]:
    """Return the bucket (0..15) of each pseudonym: frozen, whatever becomes of identity rules."""
    return (pseudonyms & (BUCKETS - 1)).astype(np.int8)


def _digest(values: Sequence[str], key: bytes, domain: str, size: int) -> Numbers:
    # BLAKE2b takes 16 bytes of domain separation at most: a longer name gives way to its own digest.
    person = domain.encode()
    if len(person) > blake2b.PERSON_SIZE:
        person = blake2b(person, digest_size=blake2b.PERSON_SIZE).digest()
    digests = [
        blake2b(v.encode("utf-8", "surrogatepass"), key=key, digest_size=size, person=person).digest() for v in values
    ]
    return np.frombuffer(b"".join(digests), "<i8").astype(np.int64)
