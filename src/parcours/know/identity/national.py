"""National ids: numbers that a state gives to people, written one way whatever separators they came with."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum.be import nn
from stdnum.ch import ssn
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.fr import nir
from stdnum.it import codicefiscale

_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"[1-478]\d{4}[0-9AB]\d{9}"), nir.validate),
    (re.compile(r"756\d{10}"), ssn.validate),
    (re.compile(r"\d{11}"), nn.validate),
    (re.compile(r"\d{8}[A-Z]"), dni.validate),
    (re.compile(r"[XYZ]\d{7}[A-Z]"), nie.validate),
    (re.compile(r"[A-Z]{6}[0-9A-Z]{2}[A-Z][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]"), codicefiscale.validate),
)
"""France (NIR), Switzerland (AHV), Belgium (NN), Spain (DNI, NIE), Italy (codice fiscale): all with check digits."""

_SEPARATORS = re.compile(r"[ .\-/]")
_SHORTEST, _LONGEST = 9, 21


def write_national(text: str) -> str | None:
    """Return ``text`` without separators and in capitals where it is a national id by its form and check digits.

    Only what differs from that by separators or case is looked at: any other value is its own normal form.
    """
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    compact = _SEPARATORS.sub("", text).upper()
    if compact == text:
        return None
    for form, validate in _FORMS:
        if form.fullmatch(compact):
            try:
                validate(compact)
            except ValidationError:
                continue
            return compact
    return None
