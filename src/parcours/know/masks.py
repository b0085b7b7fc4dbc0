"""Free text without what names a person by a number or an address; names and postal addresses stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import phonenumbers
from stdnum import luhn
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
_CARD = re.compile(rf"(?<![\d+])\d(?:{_GAP}?\d){{12,18}}\b")
_FRENCH_PHONE = re.compile(
    rf"(?<![\d/,.-])(?:(?:\+|00){_GAP}?33{_GAP}?(?:\(0\){_GAP}?)?|\(?0)[1-9]\)?(?:(?:{_GAP}|/)?\d{{2}}){{4}}(?!\d|[.,/-]\d)"
)
_DIGITS = re.compile(r"\d")
_LEAST_DIGITS = 8


def mask(text: str) -> str:
    """Return ``text`` with what identifies a person by a number or an address replaced by ``[mail]``, ``[iban]`` …

    Rules, not a model: an IBAN by its key modulo 97 (ISO 13616), a card by Luhn (ISO/IEC 7812), a NIR by its form
    (15 digits, or 13 without the key; a wrong key is masked too, for a slip of the pen names its writer all the same),
    a phone by the forms of French numbers, and elsewhere as phonenumbers finds a valid one.
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
    text = _IBAN.sub(lambda match: _mask_iban(match.group(), found), text)
    text = _CARD.sub(lambda match: put("card")(match) if _is_card(_digits(match.group())) else match.group(), text)
    text = _NIR.sub(put("nir"), text)
    text = _FRENCH_PHONE.sub(put("phone"), text)
    return _mask_phones(text, found), found


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


def _mask_iban(written: str, found: Counter[str]) -> str:
    """Return ``written`` with the IBAN that it begins with masked; the words after one may look like more of it."""
    for end in range(len(written), 14, -1):
        if not written[end - 1].isalnum():
            continue
        plain = "".join(char for char in written[:end] if char.isalnum()).upper()
        if len(plain) >= 15 and plain.isascii() and mod_97_10.is_valid(plain[4:] + plain[:4]):
            found["iban"] += 1
            return "[iban]" + written[end:]
    return written


def _is_card(digits: str) -> bool:
    """Say whether this is the number of a card to pay with: banks have the series 3 to 6, and 2 with 16 digits."""
    banks = digits[0] in "3456" or (digits[0] == "2" and len(digits) == 16)
    return banks and bool(luhn.is_valid(digits))


def _digits(written: str) -> str:
    return "".join(_DIGITS.findall(written))
