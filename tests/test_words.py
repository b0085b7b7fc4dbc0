"""Texts in two languages, and the language in force."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from parcours.words import Words, language, speak

BOTH = Words(fr="parcours", en="journey")


@pytest.fixture(autouse=True)
def _forget_language() -> Iterator[None]:
    yield
    speak(None)


def test_each_language_is_said() -> None:
    assert (BOTH.in_language("fr"), BOTH.in_language("en")) == ("parcours", "journey")


def test_the_other_language_stands_in_for_a_missing_one() -> None:
    assert Words(fr="seul").in_language("en") == "seul"
    assert Words(en="alone").in_language("fr") == "alone"


@pytest.mark.parametrize(("value", "expected"), [("fr_FR.UTF-8", "fr"), ("en_GB.UTF-8", "en"), ("C", "en"), ("", "en")])
def test_the_locale_chooses(monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
    for name in ("PARCOURS_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", value)
    assert language() == expected


def test_our_own_variable_beats_the_locale_and_speak_beats_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US")
    monkeypatch.setenv("PARCOURS_LANG", "fr")
    assert str(BOTH) == "parcours"
    speak("en")
    assert str(BOTH) == "journey"
