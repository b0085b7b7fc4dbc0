"""Values made comparable: what a person writes in many ways gets one form, for each kind of comparison."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from parcours.blueprint.records import Compared

_WORD = re.compile(r"[^\W_]+")
_DATE = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?!\d)|(\d{1,2})\D(\d{1,2})\D(\d{4})(?!\d)")
_LONGEST = 120
_PHONE_DIGITS = 9
_REMEMBERED = 100_000


def form(kind: Compared) -> Callable[[str], str | None]:
    """Return the function that gives the comparable form of a value, or nothing where it says nothing.

    A name and a place are words without accents, capitals and punctuation; a date is eight digits, year first (day
    first where it is written so); a phone is its last nine digits; a code keeps letters and digits.
    """
    return _FORMS[kind]


@lru_cache(_REMEMBERED)
def _words(text: str) -> str | None:
    return " ".join(_WORD.findall(_plain(text))) or None


@lru_cache(_REMEMBERED)
def _date(text: str) -> str | None:
    found = _DATE.search(text)
    if not found:
        return None
    year, month, day = found.group(1, 2, 3) if found.group(1) else found.group(6, 5, 4)
    return f"{year}{int(month):02d}{int(day):02d}"


def _mail(text: str) -> str | None:
    mail = text.strip().lower()[:_LONGEST]
    return mail if "@" in mail else None


def _phone(text: str) -> str | None:
    return "".join(filter(str.isdecimal, text[:_LONGEST]))[-_PHONE_DIGITS:] or None


def _code(text: str) -> str | None:
    return "".join(_WORD.findall(_plain(text))) or None


def _plain(text: str) -> str:
    short = text[:_LONGEST]
    if short.isascii():
        return short.lower()
    # Compatible forms first, then without marks: é and É are e, ß is ss, œ is oe.
    spread = unicodedata.normalize("NFKD", short.casefold()).replace("œ", "oe").replace("æ", "ae")
    return "".join(char for char in spread if not unicodedata.combining(char))


_FORMS: dict[str, Callable[[str], str | None]] = {
    "name": _words,
    "date": _date,
    "postcode": _code,
    "place": _words,
    "mail": _mail,
    "phone": _phone,
    "code": _code,
}
