"""Free text before it is shown: mails, phones, IBANs, cards and NIRs are masked; names and addresses are not."""

from __future__ import annotations

import re

import phonenumbers

REGION = "FR"
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", re.IGNORECASE)
_NIR = re.compile(
    r"\b[12378][ .-]?\d{2}[ .-]?(?:0[1-9]|[1-9]\d)[ .-]?(?:\d{2}|2[AB])[ .-]?\d{3}[ .-]?\d{3}(?:[ .-]?\d{2})?\b",
    re.IGNORECASE,
)
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_DIGITS = re.compile(r"\d")


def mask(text: str) -> str:
    """Return ``text`` with what identifies a person by a number or an address replaced by ``[mail]``, ``[iban]`` …

    Rules, not a model: an IBAN by its key modulo 97 (ISO 13616), a card by Luhn (ISO/IEC 7812), a NIR by its form
    (15 digits, or 13 without the key), a phone as phonenumbers finds it in a text.
    """
    text = _MAIL.sub("[mail]", text)
    if len(_DIGITS.findall(text)) < 8:
        return text
    text = _IBAN.sub(lambda match: _mask_iban(match.group()), text)
    text = _CARD.sub(lambda match: "[card]" if _is_card(match.group()) else match.group(), text)
    text = _NIR.sub("[nir]", text)
    return _mask_phones(text)


def _mask_phones(text: str) -> str:
    found = list(phonenumbers.PhoneNumberMatcher(text, REGION, leniency=phonenumbers.Leniency.POSSIBLE))
    for match in reversed(found):
        if len(_DIGITS.findall(match.raw_string)) >= 8:
            text = text[: match.start] + "[phone]" + text[match.end :]
    return text


def _mask_iban(written: str) -> str:
    """Return ``written`` with the IBAN that it begins with masked; the words after one may look like more of it."""
    for end in range(len(written), 14, -1):
        plain = written[:end].replace(" ", "").upper()
        if written[end - 1] == " ":
            continue
        if len(plain) >= 15 and int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1:
            return "[iban]" + written[end:]
    return written


def _is_card(written: str) -> bool:
    digits = [int(char) for char in reversed(written) if char.isdigit()]
    doubled = [digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(digits)]
    return sum(doubled) % 10 == 0
