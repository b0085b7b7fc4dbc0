"""What customers write: well-formed sentences in their own language, glad or not as their score is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from parcours.blueprint import read_blueprint, template_path
from parcours.simulate.comments import write_comments
from parcours.simulate.design import MEETINGS
from parcours.simulate.people import LANGUAGES
from parcours.simulate.sentences import ABOUT, CLOSING, TONES

SENTENCES = [
    (tongue, sentence)
    for bank in (*ABOUT.values(), CLOSING)
    for tone in TONES
    for tongue in LANGUAGES
    for sentence in bank[tone][tongue]
]
ENGLISH = re.compile(r"\b(the|of|and|was|were|my|is|very|with|you|not|your)\b", re.IGNORECASE)


@pytest.mark.parametrize(("tongue", "sentence"), SENTENCES)
def test_every_sentence_is_well_formed(tongue: str, sentence: str) -> None:
    assert sentence[0].isupper()
    assert sentence[-1] in ".!?"
    assert "  " not in sentence
    assert sentence == sentence.strip()
    if tongue == "fr":
        assert not ENGLISH.search(sentence)
        assert not re.search(r"\S[!?;:]", sentence), "French puts a space before two-part punctuation"
    else:
        assert not re.search(r"\s[!?;:]", sentence)
        assert not re.search(r"[àâçéêëîïôùû]", sentence.replace("Maison Rivière", ""))


def test_every_touchpoint_that_is_scored_has_words_for_every_tone() -> None:
    for meeting in MEETINGS:
        for tone in TONES:
            assert all(len(set(ABOUT[meeting.id][tone][tongue])) >= 3 for tongue in LANGUAGES)


def test_words_follow_the_score_and_the_language() -> None:
    random = np.random.default_rng(1)
    score = np.tile([0, 5, 10], 200)
    language = np.repeat([0, 1], 300)
    written = write_comments("delivery", score, language, random).to_pylist()
    for text, points, tongue in zip(written, score, language, strict=True):
        tone = TONES[(0, 5, 10).index(points)]
        starts = ABOUT["delivery"][tone][LANGUAGES[tongue]]
        ends = CLOSING[tone][LANGUAGES[tongue]]
        assert any(text == f"{start} {end}" for start in starts for end in ends)
    assert len(set(written)) > 60


def test_nobody_writes_an_example_of_the_blueprint_word_for_word() -> None:
    blueprint = read_blueprint(template_path("retail"))
    examples = {s for t in blueprint.touchpoints for bank in t.examples.values() for s in bank}
    assert len(examples) == len(MEETINGS) * 2 * 20
    assert not examples & {sentence for _, sentence in SENTENCES}
