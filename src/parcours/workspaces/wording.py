"""The interface's own words, one file a language, and the function that says them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from parcours.charts.numbers import write_number
from parcours.words import Language


@cache
def read_words(language: Language) -> dict[str, str]:
    """Return every text of ``language`` by its dotted key."""
    text = (files("parcours.workspaces") / "words" / f"{language}.toml").read_text("utf-8")
    sections = tomllib.loads(text)
    return {f"{section}.{key}": value for section, words in sections.items() for key, value in words.items()}


def capital(text: str) -> str:
    """Return ``text`` as it begins a line."""
    return text[:1].upper() + text[1:]


class Say:
    """``say("map.title")`` in one language; figures go in by name. An unknown key raises `KeyError`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._words = read_words(language)

    def __call__(self, key: str, **figures: Any) -> str:
        """Return the text of ``key`` with ``figures`` filled in."""
        text = self._words[key]
        return text.format(**figures) if figures else text

    def count(self, key: str, number: int, **figures: Any) -> str:
        """Return the text of ``key_one`` or ``key_many`` as ``number`` asks, which goes in as ``count``.

        In French nothing at all is singular, in English it is plural.
        """
        one = number < 2 if self.language == "fr" else number == 1
        return self(f"{key}_{'one' if one else 'many'}", count=write_number(number, self.language), **figures)

    def has(self, key: str) -> bool:
        """Say whether ``key`` is known."""
        return key in self._words
