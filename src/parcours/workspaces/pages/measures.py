"""The list of measures: the question each answers, in what unit, after whom."""

from __future__ import annotations

import msgspec

from parcours.measure import MEASURES
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.wording import Say


class ListedMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure in the list; without ``href`` no purpose covers it."""

    name: str
    question: str
    unit: str
    source: str
    href: str


class MeasuresPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of measures shows."""

    frame: Frame
    measures: tuple[ListedMeasure, ...]


def read_measures(company: Readable, language: Language) -> MeasuresPage:
    """Read the list of measures."""
    return MeasuresPage(
        frame=frame_page(company, language, "measures", Say(language)("measures.title")),
        measures=tuple(
            ListedMeasure(
                name=measure.name,
                question=measure.question.in_language(language),
                unit=measure.unit.in_language(language),
                source=measure.source,
                href=f"/{language}/measure/{measure.name}"
                if company.blueprint.purposes_for(measure.name) and company.offered(measure.name)
                else "",
            )
            for measure in MEASURES
        ),
    )
