"""One text in French and English, and the language in force."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Literal

import msgspec

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")

_spoken: ContextVar[Language | None] = ContextVar("parcours_language", default=None)


class Words(msgspec.Struct, frozen=True):
    """A text in both languages; where one is missing the other stands in, so nothing is ever blank."""

    fr: str = ""
    en: str = ""

    def in_language(self, language: Language) -> str:
        """Return the text in ``language``, or in the other one when it is missing."""
        return (self.fr or self.en) if language == "fr" else (self.en or self.fr)

    def __str__(self) -> str:
        return self.in_language(language())


def language() -> Language:
    """Return the language in force: the one set by `speak`, else ``PARCOURS_LANG``, else the locale's."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken
    for variable in ("PARCOURS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").lower()
        if value.startswith("fr"):
            return "fr"
        if value:
            return "en"
    return "en"


def speak(chosen: Language | None) -> None:
    """Set the language of this thread or request; ``None`` goes back to the environment's."""
    _spoken.set(chosen)
