"""The question of a touchpoint: its words by metric, the scores to choose from, and what the ends of the scale mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from parcours.blueprint.records import Blueprint, Company, Experience, Metric, Purpose, Touchpoint
from parcours.errors import ParcoursError
from parcours.words import Language, Words

MOST_SCORES = 21
"""Nought to twenty: the longest scale that still reads as one question."""


_REMARK = re.compile(r"\s*\([^()]*\)$")


class Wording(NamedTuple):
    """How a metric is asked: the question, and what its lowest and highest score mean."""

    asks: Words
    lowest: Words
    highest: Words


WORDINGS: dict[Metric, Wording] = {
    "csat": Wording(
        Words(fr="Cela vous a-t-il donné satisfaction\u202f?", en="How satisfied were you?"),
        Words(fr="pas du tout", en="not at all satisfied"),
        Words(fr="tout à fait", en="completely satisfied"),
    ),
    "ces": Wording(
        Words(fr="Était-ce facile pour vous\u202f?", en="How easy was it for you?"),
        Words(fr="très difficile", en="very difficult"),
        Words(fr="très facile", en="very easy"),
    ),
    "nps": Wording(
        Words(
            fr="Quelle est la probabilité que vous recommandiez {company} à un proche ou à un collègue\u202f?",
            en="How likely are you to recommend {company} to a friend or colleague?",
        ),
        Words(fr="pas du tout probable", en="not at all likely"),
        Words(fr="tout à fait probable", en="extremely likely"),
    ),
}


class Question(NamedTuple):
    """What is asked at one touchpoint; ``about`` is its label, ``purposes`` are what the answer may serve."""

    touchpoint: str
    experience: Experience
    about: Words
    asks: Words
    lowest: Words
    highest: Words
    scores: tuple[int, ...]
    purposes: tuple[Purpose, ...]


def ask_question(blueprint: Blueprint, touchpoint: str) -> Question:
    """Return the question of ``touchpoint``.

    Raises:
        ParcoursError: ``survey_no_touchpoint`` there is none of that name; ``survey_not_scored`` it has no
            experience; ``survey_scale`` its scale is not of whole numbers or too long to choose from;
            ``survey_no_purpose`` no purpose covers what is reported, so that no answer could be kept.
    """
    found = _find_touchpoint(blueprint, touchpoint)
    experience = found.experience
    if experience is None:
        raise _not_scored(touchpoint, _list_scored(blueprint))
    purposes = blueprint.purposes_for("experience")
    if not purposes:
        raise _no_purpose()
    wording = WORDINGS[experience.metric]
    return Question(
        touchpoint=touchpoint,
        experience=experience,
        about=found.label,
        asks=Words(
            fr=wording.asks.fr.format(company=name_company(blueprint.company, "fr")),
            en=wording.asks.en.format(company=name_company(blueprint.company, "en")),
        ),
        lowest=wording.lowest,
        highest=wording.highest,
        scores=_list_scores(touchpoint, experience.scale),
        purposes=purposes,
    )


def name_company(company: Company, language: Language) -> str:
    """Return what sentences call the company: a simulated one without the remark in brackets, which the banner has."""
    label = company.label.in_language(language)
    return (_REMARK.sub("", label) or label) if company.synthetic else label


def _find_touchpoint(blueprint: Blueprint, id: str) -> Touchpoint:
    try:
        return blueprint.touchpoint(id)
    except KeyError:
        raise ParcoursError(
            "survey_no_touchpoint",
            Words(
                fr=f"Le blueprint ne décrit aucun point de contact « {id} ».",
                en=f"The blueprint describes no touchpoint “{id}”.",
            ),
            Words(
                fr=f"Il y a une question pour : {_list_scored(blueprint)}.",
                en=f"There is a question for: {_list_scored(blueprint)}.",
            ),
            Path("blueprint.yaml"),
        ) from None


def _list_scored(blueprint: Blueprint) -> str:
    return ", ".join(touchpoint.id for touchpoint in blueprint.touchpoints if touchpoint.experience) or "–"


def _list_scores(touchpoint: str, scale: tuple[float, float]) -> tuple[int, ...]:
    low, high = scale
    if not (low.is_integer() and high.is_integer() and 2 <= high - low + 1 <= MOST_SCORES):
        raise ParcoursError(
            "survey_scale",
            Words(
                fr=f"L'échelle de « {touchpoint} », de {low:g} à {high:g}, ne peut pas être proposée au choix.",
                en=f"The scale of “{touchpoint}”, {low:g} to {high:g}, cannot be offered as a choice.",
            ),
            Words(
                fr=f"Prenez des bornes entières et au plus {MOST_SCORES} notes, par exemple [0, 10] ou [1, 5].",
                en=f"Use whole ends and at most {MOST_SCORES} scores, for instance [0, 10] or [1, 5].",
            ),
            Path("blueprint.yaml"),
        )
    return tuple(range(int(low), int(high) + 1))


def _not_scored(touchpoint: str, scored: str) -> ParcoursError:
    return ParcoursError(
        "survey_not_scored",
        Words(
            fr=f"Rien ne dit comment l'expérience est notée à « {touchpoint} » : aucune question ne peut y être posée.",
            en=f"Nothing says how experience is scored at “{touchpoint}”: no question can be asked there.",
        ),
        Words(
            fr=f"Ajoutez-y « experience: » dans le blueprint. Il y a déjà une question pour : {scored}.",
            en=f"Add “experience:” to it in the blueprint. There is already a question for: {scored}.",
        ),
        Path("blueprint.yaml"),
    )


def _no_purpose() -> ParcoursError:
    return ParcoursError(
        "survey_no_purpose",
        Words(
            fr="Aucune finalité du blueprint ne couvre la mesure « experience » : aucune réponse ne pourrait servir.",
            en="No purpose of the blueprint covers the measure “experience”: no answer could be used.",
        ),
        Words(
            fr="Ajoutez sous purposes une finalité, sa base légale et la mesure experience.",
            en="Add under purposes a purpose, its legal basis and the measure experience.",
        ),
        Path("blueprint.yaml"),
    )
