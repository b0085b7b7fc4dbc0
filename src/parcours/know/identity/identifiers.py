"""Identifiers made comparable: normalised by type, with those that name nobody left out and unusable ones refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from hashlib import sha256
from importlib import resources

import msgspec
import phonenumbers

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.national import write_national

LONGEST = 255
# What trackers and forms write when they know nobody; compared without quotes and in lower case.
BLOCKED = frozenset(
    {"anonymous", "guest", "distinctid", "distinct_id", "id", "not_authenticated", "email", "undefined", "true"}
    | {"false", "nan", "none", "null", "0", "-1", "invalid", "empty", "[object object]", ""}
)
_TEST_DOMAINS = frozenset({"example.com", "example.net", "example.org", "test.com"})
_TEST_SUFFIXES = (".test", ".invalid", ".localhost")
_QUOTES = "\"'`´‘’“”«» "
_MAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]{1,64}@[^@\s,;:<>()\[\]\"\\_]+\.[^@\s,;:<>()\[\]\"\\_.\d]{2,}")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_EMPTY_NUMBER = re.compile(r"[0-]*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_UUID_LENGTH = 36
_WORTHLESS_DEVICES = frozenset({None, "9774d56d682e549c"})
"""What many devices say of themselves alike: Android 2.2 and its emulators (Android issue 10603)."""


NORMALISATION = 3
"""The version of the rules of this module: a change of them writes what the vault holds anew."""


class Spelling(msgspec.Struct, frozen=True):
    """How one company writes identifiers.

    Attributes:
        region: The country (ISO 3166) of phone numbers written without one.
        blocked: Values that name nobody here, beside those that name nobody anywhere; in lower case, without quotes.
    """

    region: str | None = None
    blocked: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        """What changes whenever the same value may be written otherwise or name nobody."""
        told = (NORMALISATION, self.region, sorted(self.blocked))
        return sha256(repr(told).encode()).hexdigest()[:16]


def spell(time_zone: str, blocked: Iterable[str] = ()) -> Spelling:
    """Return how a company in ``time_zone``, which blocks the values ``blocked``, writes identifiers."""
    return Spelling(region_of(time_zone), frozenset(_plain(tidy(value)) for value in blocked))


class UnusableError(Exception):
    """An identifier that cannot be a value at all: too long, or with control characters."""


def normaliser(kind: str, spelling: Spelling) -> Callable[[str], str | None]:
    """Return the function that normalises identifiers of type ``kind`` (one of `IDENTIFIERS`).

    The function gives the normal form, or nothing for a value that names nobody (blocked, or not of its type's
    shape), and raises `UnusableError` for more than 255 characters or control characters.
    """
    if kind not in IDENTIFIERS:
        raise ValueError(kind)
    shapes = {
        "user": _shape_user,
        "mail": _shape_mail,
        "phone": _phone_shaper(spelling.region),
        "device": _shape_device,
    }
    shape, blocked = shapes[kind], spelling.blocked

    def normalise(value: str) -> str | None:
        text = tidy(value)
        if is_blocked(text) or (blocked and _plain(text) in blocked):
            return None
        form = shape(text)
        return None if form is None or (blocked and form.lower() in blocked) else form

    return normalise


def tidy(value: str) -> str:
    """Return ``value`` in NFKC without outer blanks; raise `UnusableError` when it cannot be an identifier."""
    if len(value) > LONGEST:
        raise UnusableError("long")
    text = (value if value.isascii() else unicodedata.normalize("NFKC", value)).strip()
    # One character may become eighteen.
    if len(text) > LONGEST:
        raise UnusableError("long")
    if not text.isprintable() and any(unicodedata.category(char) == "Cc" for char in text):
        raise UnusableError("control")
    return text


def is_blocked(text: str) -> bool:
    """Return whether the tidy ``text`` names nobody.

    A repeated character is blocked from three on, a repeated digit from six on: 111 is an ordinary customer number.
    """
    plain = _plain(text)
    if plain in BLOCKED:
        return True
    first = plain[0]
    # Nearly every value differs from its first to its second or last letter: those are settled here.
    if first in "0-" and _EMPTY_NUMBER.fullmatch(plain):
        return True
    if first == plain[-1] and len(plain) >= 3 and plain.count(first) == len(plain):
        return not plain.isdigit() or len(plain) >= 6
    return False


def region_of(time_zone: str) -> str | None:
    """Return the country (ISO 3166) that holds ``time_zone`` in the tz database, or nothing for UTC and the like."""
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    for line in table.splitlines():
        cells = line.split("\t")
        if len(cells) >= 3 and cells[2] == time_zone:
            return cells[0]
    return None


def _plain(text: str) -> str:
    return text.strip(_QUOTES).lower()


def _shape_user(text: str) -> str | None:
    uuid = _shape_uuid(text)
    return uuid if uuid != text else write_national(text) or text


def _shape_device(text: str) -> str | None:
    uuid = _shape_uuid(text)
    return None if uuid in _WORTHLESS_DEVICES else uuid


def _shape_uuid(text: str) -> str | None:
    """Return a UUID (RFC 9562) in lower case, as RFC and Android write it and Apple does not; nothing for one digit."""
    if len(text) != _UUID_LENGTH or not _UUID.fullmatch(text):
        return text
    return None if len(set(text)) == 2 else text.lower()


def _shape_mail(text: str) -> str | None:
    mail = text.lower()
    if not _MAIL.fullmatch(mail):
        return None
    name, domain = mail.rsplit("@", 1)
    if domain in _TEST_DOMAINS or domain.endswith(_TEST_SUFFIXES) or is_blocked(name) or ".." in domain:
        return None
    return mail


def _phone_shaper(region: str | None) -> Callable[[str], str | None]:
    def shape(text: str) -> str | None:
        if _E164.fullmatch(text):
            return text
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return shape
