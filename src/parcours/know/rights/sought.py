"""Whom an erasure looks for: erased identifiers, found again in numbers, texts and bytes by their pseudonyms alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.identifiers import Spelling, UnusableError, normaliser
from parcours.know.pseudonyms import Numbers, digest_identifiers

Mask = npt.NDArray[np.bool_]
SHORTEST = 4
"""Shorter identifiers are no proof of anything in a text: they are looked for where an identifier stands alone."""

_LONGEST = 255
_DIGITS_OF_A_PHONE = 8
_OWN_PLACES = frozenset({"userid", "anonymousid", "previousid", "email", "mail", "phone", "user_id", "anonymous_id"})
_CELLS = re.compile(r"[,;\t|\"\r\n]+")
_WORDS = re.compile(r"[\s\"'<>(){}\[\],;|:=\\/?&]+")
_MOST_REMEMBERED = 200_000


class Sought:
    """Identifiers that are looked for. What they are need not be known: the keys that sealed them may be gone.

    Args:
        pseudonyms: Their pseudonyms.
        key: The pseudonym key of the company.
        spelling: How the company writes identifiers.
    """

    def __init__(self, pseudonyms: Numbers, key: bytes, spelling: Spelling) -> None:
        self.pseudonyms = np.unique(pseudonyms)
        self._key = key
        self._normalise = {kind: normaliser(kind, spelling) for kind in IDENTIFIERS}
        self._held = frozenset(self.pseudonyms.tolist())
        self._judged: dict[str, bool] = {}
        self._patterns = [number.to_bytes(8, "little") for number in self._held]
        self._patterns += [number.to_bytes(8, "big") for number in self._held]

    def among(self, numbers: Numbers) -> Mask:
        """Return which of ``numbers`` are pseudonyms that are looked for."""
        if not len(self.pseudonyms):
            return np.zeros(len(numbers), bool)
        places = np.minimum(np.searchsorted(self.pseudonyms, numbers), len(self.pseudonyms) - 1)
        found: Mask = self.pseudonyms[places] == numbers
        return found

    def in_text(self, text: str) -> bool:
        """Return whether a text is one of the identifiers, or holds one as a word of its own."""
        return any(self._is_one(piece) for piece in _pieces(text) if len(piece) >= SHORTEST)

    def in_bytes(self, data: bytes) -> bool:
        """Return whether bytes hold one: in JSON wherever it stands, else as a cell or a word, or as a pseudonym."""
        if self.holds_pattern(data):
            return True
        try:
            told = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.in_text(data.decode("utf-8", "replace"))
        return self.in_json(told)

    def holds_pattern(self, data: bytes) -> bool:
        """Return whether one of the pseudonyms stands in ``data`` as a number of eight bytes."""
        return any(pattern in data for pattern in self._patterns)

    def in_json(self, told: Any) -> bool:
        """Return whether JSON that was read holds one; short ones count where an identifier is meant to stand."""
        for name, leaf in _leaves(told):
            if name.lower() in _OWN_PLACES and self._is_one(leaf):
                return True
            if self.in_text(leaf):
                return True
        return False

    def _is_one(self, text: str) -> bool:
        known = self._judged.get(text)
        if known is None:
            if len(self._judged) > _MOST_REMEMBERED:
                self._judged.clear()
            known = self._judged[text] = self._judge(text)
        return known

    def _judge(self, text: str) -> bool:
        if not text or len(text) > _LONGEST:
            return False
        for kind in IDENTIFIERS:
            if kind == "mail" and "@" not in text:
                continue
            if kind == "phone" and sum(char.isdigit() for char in text) < _DIGITS_OF_A_PHONE:
                continue
            try:
                form = self._normalise[kind](text)
            except UnusableError:
                continue
            if form is not None and int(digest_identifiers(kind, [form], self._key)[0][0]) in self._held:
                return True
        return False


def _pieces(text: str) -> Iterable[str]:
    found = {text.strip()}
    for plain in {text, unquote(text)} if "%" in text else {text}:
        found.update(piece.strip() for piece in _CELLS.split(plain))
        found.update(piece.strip(".!") for piece in _WORDS.split(plain))
    return found


def _leaves(told: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text and number in JSON, with the name under which it stands; names are texts too."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield "", str(key)
            yield from _leaves(value, str(key))
    elif isinstance(told, list):
        for value in told:
            yield from _leaves(value, name)
    elif isinstance(told, str):
        yield name, told
    elif isinstance(told, int | float) and not isinstance(told, bool):
        yield name, str(told)
