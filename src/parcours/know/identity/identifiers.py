"""Identifiers made comparable: normalised by type, with those that name nobody left out and unusable ones refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from importlib import resources

import phonenumbers

from parcours.collect.door import IDENTIFIERS

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


class UnusableError(Exception):
    """An identifier that cannot be a value at all: too long, or with control characters."""


def normaliser(kind: str, region: str | None) -> Callable[[str], str | None]:
    """Return the function that normalises identifiers of type ``kind`` (one of `IDENTIFIERS`).

    The function gives the normal form, or nothing for a value that names nobody (blocked, or not of its type's
    shape), and raises `UnusableError` for more than 255 characters or control characters. ``region``
    is the country (ISO 3166) of phone numbers written without one.
    """
    if kind not in IDENTIFIERS:
        raise ValueError(kind)
    shape = {"mail": _shape_mail, "phone": _phone_shaper(region)}.get(kind, _shape_any)

    def normalise(value: str) -> str | None:
        text = tidy(value)
        return None if is_blocked(text) else shape(text)

    return normalise


def tidy(value: str) -> str:
    """Return ``value`` in NFKC without outer blanks; raise `UnusableError` when it cannot be an identifier."""
    if len(value) > LONGEST:
        raise UnusableError("long")
    text = (value if value.isascii() else unicodedata.normalize("NFKC", value)).strip()
    if not text.isprintable() and any(unicodedata.category(char) == "Cc" for char in text):
        raise UnusableError("control")
    return text


def is_blocked(text: str) -> bool:
    """Return whether the tidy ``text`` names nobody.

    A repeated character is blocked from three on, a repeated digit from six on: 111 is an ordinary customer number.
    """
    plain = text.strip(_QUOTES).lower()
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


def _shape_any(text: str) -> str | None:
    return text


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
