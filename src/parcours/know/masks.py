"""Free text without what names a person by a number or an address; names and postal addresses stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import phonenumbers
from stdnum import iban, luhn
from stdnum.fr import nir
from stdnum.iso7064 import mod_97_10

REGION = "FR"
KINDS = ("mail", "iban", "card", "nir", "phone")
"""What is masked, in the order in which it is looked for: ``[mail]``, ``[iban]`` …"""

_GAP = "[ \u00a0\u202f.-]"
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(rf"\b[A-Z]{{2}}\d{{2}}(?:{_GAP}?[A-Z0-9]){{11,30}}", re.IGNORECASE)
_NIR = re.compile(
    rf"\b[12378]{_GAP}?\d{{2}}{_GAP}?(?:0[1-9]|[1-9]\d){_GAP}?(?:\d{{2}}|2[AB]){_GAP}?\d{{3}}{_GAP}?\d{{3}}"
    rf"(?:{_GAP}?\d{{2}})?\b",
    re.IGNORECASE,
)
_CARD = re.compile(rf"(?<![\d+])\d(?:{_GAP}?\d){{12,18}}")
_SERIES = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0|[689])\d{12}"
    r"|35\d{14}|6\d{15,18}"
)
"""The numbers that cards to pay with have, by series and length (ISO/IEC 7812, as the schemes publish theirs)."""

_FRENCH_PHONE = re.compile(
    rf"(?<!\d)(?<!\d[/,.-])(?:(?:\+|00){_GAP}?33{_GAP}?(?:\(0\){_GAP}?)?|\(?0)[1-9]\)?(?:(?:{_GAP}|/)?\d{{2}}){{4}}(?!\d|[.,/-]\d)"
)
_DIGITS = re.compile(r"\d")
_LEAST_DIGITS = 8
_LEAST_IBAN = 15


def mask(text: str) -> str:
    """Return ``text`` with what identifies a person by a number or an address replaced by ``[mail]``, ``[iban]`` …

    Rules, not a model: an IBAN by its key modulo 97 and the form of its country (ISO 13616), a card by Luhn and its
    series (ISO/IEC 7812), a NIR by its form (15 digits, or 13 without the key; a wrong key is masked too, for a slip
    of the pen names its writer all the same), a phone by the forms of French numbers, and elsewhere as phonenumbers
    finds a valid one.
    """
    return mask_counting(text)[0]


def mask_counting(text: str) -> tuple[str, Counter[str]]:
    """Return what `mask` does, and how many of each of `KINDS` were masked."""
    found: Counter[str] = Counter()

    def put(kind: str) -> Callable[[re.Match[str]], str]:
        def say(_: re.Match[str]) -> str:
            found[kind] += 1
            return f"[{kind}]"

        return say

    text = _MAIL.sub(put("mail"), text)
    if len(_DIGITS.findall(text)) < _LEAST_DIGITS:
        return text, found
    text = _mask_prefixes(text, "iban", _IBAN, _measure_iban, found)
    # A NIR whose key is right is one, and a card only where all of it is; what is merely written like one may be.
    text = _NIR.sub(lambda match: put("nir")(match) if _is_surely_nir(match.group()) else match.group(), text)
    text = _mask_prefixes(text, "card", _CARD, _measure_card, found)
    text = _NIR.sub(put("nir"), text)
    last = ""
    while last != text:  # What stands behind a number and a stroke shows as one once that number is masked.
        last, text = text, _mask_phones(_FRENCH_PHONE.sub(put("phone"), text), found)
    return text, found


def mask_each(texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Return ``texts`` masked, and how many of each of `KINDS` were, all told."""
    total: Counter[str] = Counter()
    masked = []
    for text in texts:
        shown, found = mask_counting(text)
        masked.append(shown)
        total += found
    return masked, total


def _mask_phones(text: str, found: Counter[str]) -> str:
    matches = list(phonenumbers.PhoneNumberMatcher(text, REGION, leniency=phonenumbers.Leniency.VALID))
    for match in reversed(matches):
        if len(_DIGITS.findall(match.raw_string)) >= _LEAST_DIGITS:
            text = text[: match.start] + "[phone]" + text[match.end :]
            found["phone"] += 1
    return text


def _mask_prefixes(
    text: str, kind: str, looks: re.Pattern[str], measure: Callable[[str, str], int], found: Counter[str]
) -> str:
    """Mask where the beginning of what ``looks`` like one is one: what stands behind may look like more of it.

    Args:
        text: The text.
        kind: One of `KINDS`.
        looks: Matches all that looks like one, however long.
        measure: Gets that, and the character behind it; returns how much of its beginning is one, 0 for nothing.
        found: Counts.
    """
    told, place = "", 0
    while match := looks.search(text, place):
        start = match.start()
        size = measure(match.group(), text[match.end() : match.end() + 1])
        if size:
            found[kind] += 1
        told += text[place:start] + (f"[{kind}]" if size else text[start])
        place = start + (size or 1)
    return told + text[place:]


def _measure_iban(written: str, _: str) -> int:
    for end in range(len(written), _LEAST_IBAN - 1, -1):
        if not written[end - 1].isalnum():
            continue
        plain = "".join(char for char in written[:end] if char.isalnum()).upper()
        # Words of 15 letters and more hold some piece whose key is right: the country says which form it has to have.
        if len(plain) < _LEAST_IBAN or not plain.isascii() or not _has_key(plain):
            continue
        if iban.is_valid(plain, check_country=False):
            return end
    return 0


def _has_key(plain: str) -> bool:
    return bool(mod_97_10.is_valid(plain[4:] + plain[:4]))


def _measure_card(written: str, behind: str) -> int:
    follows = [*written[1:], behind]
    for end in range(len(written), 0, -1):
        # A number ends where its digits do: the date until which a card holds may stand behind a blank.
        if written[end - 1].isdigit() and not follows[end - 1].isdigit():
            digits = _digits(written[:end])
            if _SERIES.fullmatch(digits) and luhn.is_valid(digits):
                return end
    return 0


def _is_surely_nir(written: str) -> bool:
    return bool(nir.is_valid(written)) and _measure_card(written, "") < len(written)


def _digits(written: str) -> str:
    return "".join(_DIGITS.findall(written))
