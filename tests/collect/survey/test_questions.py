"""Questions: asked in both languages from what the blueprint says, and refused with a remedy where it says nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.collect.survey.asking import read_retail

from parcours.blueprint.records import Blueprint, Company
from parcours.collect.survey.questions import WORDINGS, ask_question, name_company
from parcours.errors import ParcoursError
from parcours.words import LANGUAGES, Language, Words

BLUEPRINT = read_retail()


def change_scale(blueprint: Blueprint, id: str, **changes: Any) -> Blueprint:
    """Return ``blueprint`` with the experience of touchpoint ``id`` changed."""
    touchpoint = blueprint.touchpoint(id)
    assert touchpoint.experience is not None
    changed = msgspec.structs.replace(touchpoint, experience=msgspec.structs.replace(touchpoint.experience, **changes))
    return msgspec.structs.replace(
        blueprint, touchpoints=tuple(changed if each.id == id else each for each in blueprint.touchpoints)
    )


@pytest.mark.parametrize("touchpoint", [each.id for each in BLUEPRINT.touchpoints if each.experience])
def test_every_scored_touchpoint_of_the_example_has_its_question(touchpoint: str) -> None:
    question = ask_question(BLUEPRINT, touchpoint)
    experience = BLUEPRINT.touchpoint(touchpoint).experience
    assert experience is not None
    assert (question.scores[0], question.scores[-1]) == experience.scale
    assert question.about == BLUEPRINT.touchpoint(touchpoint).label
    assert [purpose.id for purpose in question.purposes] == ["improve_service"]


@pytest.mark.parametrize("metric", WORDINGS)
def test_each_metric_is_asked_and_its_ends_are_said_in_both_languages(metric: Any) -> None:
    wording = WORDINGS[metric]
    for words in (wording.asks, wording.lowest, wording.highest):
        assert words.fr != words.en
        assert words.fr
        assert words.en
    assert wording.asks.fr.endswith("\u202f?")
    assert wording.asks.en.endswith("?")
    assert wording.lowest != wording.highest


def test_nps_names_the_company_without_the_remark_of_a_simulated_one() -> None:
    question = ask_question(BLUEPRINT, "loyalty")
    assert "recommandiez Maison Rivière à un proche" in question.asks.fr
    assert "recommend Maison Rivière to a friend" in question.asks.en


@pytest.mark.parametrize(
    ("label", "synthetic", "named"),
    [
        ("Acme (test)", True, "Acme"),
        ("Acme (Lyon)", False, "Acme (Lyon)"),
        ("(test)", True, "(test)"),
        ("A", True, "A"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_name_the_company(label: str, synthetic: bool, named: str, language: Language) -> None:
    assert name_company(Company(id="acme", label=Words(label, label), synthetic=synthetic), language) == named


@pytest.mark.parametrize(
    ("touchpoint", "code", "named"),
    [("nowhere", "survey_no_touchpoint", "delivery"), ("newsletter", "survey_not_scored", "experience:")],
)
def test_what_cannot_be_asked_says_so_with_a_remedy(touchpoint: str, code: str, named: str) -> None:
    with pytest.raises(ParcoursError) as refused:
        ask_question(BLUEPRINT, touchpoint)
    assert refused.value.code == code
    for language in LANGUAGES:
        assert touchpoint in refused.value.faults[0].sentence.in_language(language)
        assert named in refused.value.faults[0].remedy.in_language(language)


@pytest.mark.parametrize("scale", [(0.0, 100.0), (1.0, 4.5), (0.5, 5.0), (3.0, 3.0), (0.0, 21.0)])
def test_a_scale_that_nobody_could_choose_from_is_refused(scale: tuple[float, float]) -> None:
    with pytest.raises(ParcoursError) as refused:
        ask_question(change_scale(BLUEPRINT, "delivery", scale=scale), "delivery")
    assert refused.value.code == "survey_scale"


@pytest.mark.parametrize("scale", [(0.0, 20.0), (1.0, 2.0), (-3.0, 3.0)])
def test_a_scale_of_whole_numbers_is_offered_in_full(scale: tuple[float, float]) -> None:
    scores = ask_question(change_scale(BLUEPRINT, "delivery", scale=scale), "delivery").scores
    assert scores == tuple(range(int(scale[0]), int(scale[1]) + 1))


def test_without_a_purpose_for_it_nothing_is_asked() -> None:
    purposes = tuple(msgspec.structs.replace(purpose, measures=("journey",)) for purpose in BLUEPRINT.purposes)
    with pytest.raises(ParcoursError) as refused:
        ask_question(msgspec.structs.replace(BLUEPRINT, purposes=purposes), "delivery")
    assert refused.value.code == "survey_no_purpose"
