"""The interface's words: the same keys in both languages, none missing, none idle."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import parcours.workspaces
from parcours.workspaces.wording import Say, read_words

FOLDER = Path(parcours.workspaces.__file__).parent
SOURCES = "".join(path.read_text("utf-8") for kind in ("*.py", "*.html") for path in FOLDER.rglob(kind))
MADE = (
    "reason.see_customer",
    "reason.unmask",
    "account.",
    "consent.",
    "customer.also_",
    "customer.basis_",
    "customer.done_",
    "customer.kind_",
    "customer.left_out_",
    "customer.object_",
    "fault.",
    "frame.",
    "grade.",
    "linking.",
    "live.",
    "people.",
    "promise.",
    "review.done_",
    "review.left_",
    "review.waiting_",
    "sign_in.",
    "sources.",
    "split.",
    "touchpoint.",
)  # prefixes that code joins with a value


def find_figures(text: str) -> set[str]:
    """Return the names of the figures that go into a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_figures() -> None:
    french, english = read_words("fr"), read_words("en")
    assert french.keys() == english.keys()
    for key in french:
        assert find_figures(french[key]) == find_figures(english[key]), key


def test_every_key_that_is_said_exists() -> None:
    said = set(re.findall(r"""say\(\s*f?["']([a-z_]+\.[a-z_]+)["']""", SOURCES)) | set(
        re.findall(r"""["'](error\.[a-z_]+|measure\.[a-z_]+)["']""", SOURCES)
    )
    assert len(said) > 60
    assert said <= read_words("fr").keys()


def test_no_word_is_idle() -> None:
    quoted = set(re.findall(r"""["']([a-z_]+\.[a-z_]+)["']""", SOURCES))
    idle = {key for key in read_words("fr") if key not in quoted and not key.startswith(MADE)}
    assert idle == set()


def test_words_that_are_joined_with_a_value_are_used() -> None:
    for key in read_words("fr"):
        section, _, name = key.partition(".")
        if section in ("live", "sources"):
            stem = name.removesuffix("_one").removesuffix("_many")
            made = ("connector", "state", "outcome", "told", "column")  # joined with a value
            assert f"{section}.{stem}" in SOURCES or f"{section}.{name}" in SOURCES or name.startswith(made), key


def test_french_counts_nothing_as_one_and_english_as_many() -> None:
    said = [(number, Say(lang).count("sources.events", number)) for lang in ("fr", "en") for number in (0, 1, 2)]  # type: ignore[arg-type]
    assert said == [
        (0, "0 événement"),
        (1, "1 événement"),
        (2, "2 événements"),
        (0, "0 events"),
        (1, "1 event"),
        (2, "2 events"),
    ]


def test_an_unknown_key_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(KeyError):
        Say("fr")("map.no_such_key")


def test_french_is_set_as_french_is_set() -> None:
    for key, text in read_words("fr").items():
        assert not re.search(r"(?<![\u202f\u00a0])[;:!?%»](?=\s|$)", text.replace("{", "").replace("}", "")), key
        assert "'" not in text, key
