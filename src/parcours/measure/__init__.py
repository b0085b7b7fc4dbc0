"""What it means for the customer and the company: one module, one measure."""

from __future__ import annotations

from parcours.errors import ParcoursError
from parcours.measure import causes, experience, funnel, journey, promises, stakes, transitions
from parcours.measure.contract import Measure
from parcours.words import Words

MEASURES: tuple[Measure, ...] = (
    experience.MEASURE,
    journey.MEASURE,
    transitions.MEASURE,
    funnel.MEASURE,
    causes.MEASURE,
    stakes.MEASURE,
    promises.MEASURE,
)
"""Every measure; the door, the pages and the exports show each one that stands here."""


def measure_named(name: str) -> Measure:
    """Return the measure called ``name``; `ParcoursError` ``unknown_measure`` when there is none."""
    for measure in MEASURES:
        if measure.name == name:
            return measure
    listed = ", ".join(measure.name for measure in MEASURES)
    raise ParcoursError(
        "unknown_measure",
        Words(fr=f"Aucune mesure ne s'appelle « {name} ».", en=f"No measure is called “{name}”."),
        Words(fr=f"Choisissez parmi : {listed}.", en=f"Choose one of: {listed}."),
    )
