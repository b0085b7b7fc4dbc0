"""Signed links: who is asked about what, sealed so that a web address names nobody and cannot be altered."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from parcours.blueprint.records import IdentifierType
from parcours.words import LANGUAGES, Language

KEY_BYTES = 32
SALT_BYTES = 8
ANSWER_BYTES = 16
MOST_CHARACTERS = 2000
"""More than any link that `seal_link` is asked for; what is longer is not even opened."""

STRONGEST: tuple[IdentifierType, ...] = ("user", "mail", "phone", "device")
_VERSION = "1"
_BOUND = b"parcours survey link " + _VERSION.encode()
_TAG_BYTES = 16
_MINUTE_MS = 60_000
_EPOCH_MINUTES = 29_453_760
"""2026-01-01 UTC; times count from here, which saves characters."""


class UnknownLinkError(Exception):
    """The link is none of ours: cut, altered, of another company, of another version, or never issued."""


class ExpiredLinkError(Exception):
    """The link is ours and its time is over."""

    def __init__(self, link: Link) -> None:
        super().__init__("expired")
        self.link = link


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a link says.

    Attributes:
        touchpoint: What is asked about.
        who: Identifiers of the person by their type; at least one.
        objects: The order, ticket … that the answer speaks of, by object type.
        language: The language that the page opens in.
        issued_ms: When it was made, in epoch milliseconds, whole minutes.
        expires_ms: From when on it is refused, in epoch milliseconds, whole minutes.
        salt: Random bytes where the same person may be asked the same thing again; empty where an object is named.
    """

    touchpoint: str
    who: dict[IdentifierType, str]
    objects: dict[str, str]
    language: Language
    issued_ms: int
    expires_ms: int
    salt: bytes = b""


class SurveyKeys(NamedTuple):
    """The keys of the surveys: what seals links, what names answers, what checks the register."""

    links: AESSIV
    answers: bytes
    register: bytes


class _Packed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A link as it is written: positions instead of names, minutes instead of milliseconds."""

    touchpoint: str
    who: dict[str, str]
    objects: dict[str, str]
    language: int
    issued: int
    lasts: int
    salt: bytes


def derive_keys(key: bytes) -> SurveyKeys:
    """Return the keys that come from one 32-byte key (HKDF-Expand over SHA-256, RFC 5869)."""
    if len(key) != KEY_BYTES:
        raise ValueError("a survey key has 32 bytes")

    def expand(name: bytes, size: int) -> bytes:
        return HKDFExpand(SHA256(), size, b"parcours survey " + name).derive(key)

    return SurveyKeys(AESSIV(expand(b"links", 64)), expand(b"answers", 32), expand(b"register", 32))


def seal_link(link: Link, keys: SurveyKeys) -> str:
    """Return ``link`` as a token: letters, digits, ``-`` and ``_``.

    AES-SIV (RFC 5297) encrypts and authenticates; its one 16-byte tag is at once the checksum and the nonce, so a
    token is 22 characters longer than what it says in base64.
    """
    packed = _Packed(
        link.touchpoint,
        {kind[0]: value for kind, value in link.who.items()},
        link.objects,
        LANGUAGES.index(link.language),
        link.issued_ms // _MINUTE_MS - _EPOCH_MINUTES,
        (link.expires_ms - link.issued_ms) // _MINUTE_MS,
        link.salt,
    )
    return _VERSION + _write_base64(keys.links.encrypt(msgspec.msgpack.encode(packed), [_BOUND]))


def open_link(token: str, keys: SurveyKeys, now_ms: int) -> Link:
    """Return what ``token`` says.

    The tag is compared in constant time, and everything that is not ours fails alike.

    Raises:
        UnknownLinkError: it is none of ours.
        ExpiredLinkError: it is ours and too old.
    """
    sealed = _read_base64(token)
    try:
        plain = keys.links.decrypt(sealed, [_BOUND])
        link = _unpack(msgspec.msgpack.decode(plain, type=_Packed))
    except (InvalidTag, ValueError, msgspec.DecodeError, LookupError) as fault:
        raise UnknownLinkError("unknown") from fault
    if now_ms >= link.expires_ms:
        raise ExpiredLinkError(link)
    return link


def name_answer(link: Link, keys: SurveyKeys) -> bytes:
    """Return the 16 bytes that name the one answer which ``link`` may give.

    Two links about the same object (an order and its reminder) name the same answer; links about no object carry a
    salt each and name as many. HMAC-SHA256, cut to 128 bits.
    """
    kind = next(kind for kind in STRONGEST if kind in link.who)
    named = (link.touchpoint, kind, link.who[kind], sorted(link.objects.items()), link.salt)
    return hmac.digest(keys.answers, msgspec.msgpack.encode(named), sha256)[:ANSWER_BYTES]


def _unpack(packed: _Packed) -> Link:
    kinds = {kind[0]: kind for kind in STRONGEST}
    issued_ms = (packed.issued + _EPOCH_MINUTES) * _MINUTE_MS
    return Link(
        touchpoint=packed.touchpoint,
        who={kinds[letter]: value for letter, value in packed.who.items()},
        objects=packed.objects,
        language=LANGUAGES[packed.language],
        issued_ms=issued_ms,
        expires_ms=issued_ms + packed.lasts * _MINUTE_MS,
        salt=packed.salt,
    )


def _write_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _read_base64(token: str) -> bytes:
    """Return the bytes of a token; one that is spelt otherwise than we would spell it is none of ours."""
    text = token[1:]
    if token[:1] != _VERSION or len(token) > MOST_CHARACTERS or not text.isascii():
        raise UnknownLinkError("unknown")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as fault:
        raise UnknownLinkError("unknown") from fault
    # The last character may hold bits that no byte uses: without this, several spellings would open one link.
    if len(data) <= _TAG_BYTES or _write_base64(data) != text:
        raise UnknownLinkError("unknown")
    return data
