"""The interface's own words, one file a language, and the function that says them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from parcours.words import Language


@cache
def read_words(language: Language) -> dict[str, str]:
    """Return every text of ``language`` by its dotted key."""
    text = (files("parcours.workspaces") / "words" / f"{language}.toml").read_text("utf-8")
    sections = tomllib.loads(text)
    return {f"{section}.{key}": value for section, words in sections.items() for key, value in words.items()}


class Say:
    """``say("map.title")`` in one language; figures go in by name. An unknown key raises `KeyError`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._words = read_words(language)

    def __call__(self, key: str, **figures: Any) -> str:
        """Return the text of ``key`` with ``figures`` filled in."""
        text = self._words[key]
        return text.format(**figures) if figures else text

    def has(self, key: str) -> bool:
        """Say whether ``key`` is known."""
        return key in self._words
