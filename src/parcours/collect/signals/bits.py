"""Bits of a base64url text, read from the first to the last: what a TCF string is made of."""

from __future__ import annotations

import base64
import re

_TEXT = re.compile(r"[A-Za-z0-9_-]+")
MOST_PADDING = 23
"""A writer fills up to whole bytes and whole groups of four letters: 24 bits."""


class UndecodableError(Exception):
    """A string that is no clean signal; ``reason`` names the fault in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Bits:
    """One segment of a string.

    Raises:
        UndecodableError: ``not_base64``, and ``cut_short`` or ``not_empty`` while it is read.
    """

    def __init__(self, text: str) -> None:
        if not _TEXT.fullmatch(text) or len(text) % 4 == 1:
            raise UndecodableError("not_base64")
        data = base64.urlsafe_b64decode(text + "A" * (-len(text) % 4))
        self._count = 6 * len(text)
        self._value = int.from_bytes(data, "big") >> (8 * len(data) - self._count)
        self._place = 0

    def number(self, width: int) -> int:
        """Return the next ``width`` bits as a whole number."""
        self._place += width
        if self._place > self._count:
            raise UndecodableError("cut_short")
        return (self._value >> (self._count - self._place)) & ((1 << width) - 1)

    def flag(self) -> bool:
        """Return the next bit."""
        return self.number(1) == 1

    def letters(self) -> str:
        """Return the next two letters, six bits each."""
        codes = [self.number(6), self.number(6)]
        if max(codes) > 25:
            raise UndecodableError("bad_letters")
        return "".join(chr(ord("A") + code) for code in codes)

    def numbers(self, width: int) -> frozenset[int]:
        """Return which of the next ``width`` bits are set, the first being 1."""
        field = self.number(width)
        return frozenset(number for number in range(1, width + 1) if field >> (width - number) & 1)

    def end(self) -> None:
        """See that nothing but padding is left."""
        left = self._count - self._place
        if left > MOST_PADDING or self.number(left):
            raise UndecodableError("not_empty")
