"""Rules about scores and promises: a scale that its metric allows, and a bound on something measured."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.draft import Draft, is_known
from parcours.blueprint.records import Experience
from parcours.blueprint.yaml_lines import Place
from parcours.errors import Fault
from parcours.words import Words


def find_bad_scales(draft: Draft) -> Iterator[Fault]:
    """A scale that does not rise, or an NPS that is not asked from 0 to 10."""
    for place, experience in _experiences(draft):
        low, high = experience.scale
        where = (*place, "scale")
        if low >= high:
            yield draft.error(
                "scale_not_rising",
                where,
                Words(f"L'échelle va de {low:g} à {high:g}.", f"The scale goes from {low:g} to {high:g}."),
                Words("Écrivez la plus basse note d'abord : [1, 5].", "Write the lowest score first: [1, 5]."),
            )
        if experience.metric == "nps" and (low != 0 or high != 10) and is_known(low) and is_known(high):
            yield draft.error(
                "nps_scale",
                where,
                Words("Le NPS se demande de 0 à 10.", "NPS is asked from 0 to 10."),
                Words(
                    "Écrivez « scale: [0, 10] », ou prenez csat ou ces.", "Write “scale: [0, 10]”, or use csat or ces."
                ),
            )


def find_bad_satisfied(draft: Draft) -> Iterator[Fault]:
    """CSAT is a share of satisfied answers: the lowest satisfied score must be said, inside the scale."""
    for place, experience in _experiences(draft):
        low, high = experience.scale
        satisfied = experience.satisfied_from
        if experience.metric == "csat" and satisfied is None and draft.raw((*place, "satisfied_from")) is None:
            yield draft.error(
                "satisfied_from_missing",
                place,
                Words(
                    "On ne sait pas à partir de quelle note un client est satisfait.",
                    "Nothing says from which score a customer is satisfied.",
                ),
                Words(
                    "Ajoutez « satisfied_from: » ; sur une échelle de 1 à 5, c'est d'ordinaire 4.",
                    "Add “satisfied_from:”; on a scale from 1 to 5 it is usually 4.",
                ),
            )
        if satisfied is not None and is_known(satisfied) and low < high and not low < satisfied <= high:
            yield draft.error(
                "satisfied_from_outside",
                (*place, "satisfied_from"),
                Words(
                    f"{satisfied:g} n'est pas au-dessus de {low:g} et jusqu'à {high:g}.",
                    f"{satisfied:g} is not above {low:g} and up to {high:g}.",
                ),
                Words("Choisissez une note à l'intérieur de l'échelle.", "Choose a score inside the scale."),
            )


def find_bad_windows(draft: Draft) -> Iterator[Fault]:
    """An answer that could speak of no earlier touch."""
    for place, experience in _experiences(draft):
        if experience.within_ms <= 0:
            yield draft.error(
                "within_not_positive",
                (*place, "within"),
                Words("La fenêtre de réponse est vide.", "The window for answers is empty."),
                Words("Écrivez par exemple « within: 14d ».", "Write for instance “within: 14d”."),
            )


def find_promises_without_metric(draft: Draft) -> Iterator[Fault]:
    """A promise that nothing measures, or with no bound."""
    for place, touchpoint in draft.items("touchpoints"):
        promise = touchpoint.promise
        if promise is None:
            continue
        where = (*place, "promise")
        if draft.raw((*where, "metric")) is None:
            yield draft.error(
                "promise_without_metric",
                where,
                Words("Rien ne mesure cette promesse.", "Nothing measures this promise."),
                Words(
                    "Ajoutez « metric: experience », ou « metric: » et l'identifiant d'une opération.",
                    "Add “metric: experience”, or “metric:” and the id of an operation.",
                ),
            )
        if draft.raw((*where, "at_least")) is None and draft.raw((*where, "at_most")) is None:
            yield draft.error(
                "promise_without_bound",
                where,
                Words("Cette promesse n'a pas de seuil.", "This promise has no bound."),
                Words("Ajoutez « at_least: » ou « at_most: ».", "Add “at_least:” or “at_most:”."),
            )


def find_promises_out_of_reach(draft: Draft) -> Iterator[Fault]:
    """A promise on an operation that does not exist, on experience nobody measures, or with bounds that cross."""
    operations = draft.ids("operations")
    for place, touchpoint in draft.items("touchpoints"):
        promise = touchpoint.promise
        if promise is None:
            continue
        where = (*place, "promise", "metric")
        if promise.metric == "experience" and draft.raw((*place, "experience")) is None:
            yield draft.error(
                "promise_on_unmeasured",
                where,
                Words(
                    "La promesse porte sur l'expérience, qui n'est pas mesurée ici.",
                    "The promise is on experience, which is not measured here.",
                ),
                Words(
                    "Ajoutez « experience: », ou promettez sur une opération.",
                    "Add “experience:”, or promise on an operation.",
                ),
            )
        elif promise.metric and promise.metric != "experience" and promise.metric not in operations:
            listed = ", ".join(("experience", *operations))
            yield draft.error(
                "promise_unknown_metric",
                where,
                Words(f"« {promise.metric} » ne mesure rien de connu.", f"“{promise.metric}” measures nothing known."),
                Words(f"Choisissez parmi : {listed}.", f"Choose one of: {listed}."),
            )
        if promise.at_least is not None and promise.at_most is not None and promise.at_least > promise.at_most:
            yield draft.error(
                "promise_bounds_cross",
                (*place, "promise", "at_least"),
                Words(
                    f"Rien n'est à la fois ≥ {promise.at_least:g} et ≤ {promise.at_most:g}.",
                    f"Nothing is both ≥ {promise.at_least:g} and ≤ {promise.at_most:g}.",
                ),
                Words("Échangez les deux bornes ou n'en gardez qu'une.", "Swap the two bounds or keep one."),
            )


RULES = (
    find_bad_scales,
    find_bad_satisfied,
    find_bad_windows,
    find_promises_without_metric,
    find_promises_out_of_reach,
)


def _experiences(draft: Draft) -> Iterator[tuple[Place, Experience]]:
    for place, touchpoint in draft.items("touchpoints"):
        if isinstance(draft.raw((*place, "experience")), dict):
            yield (*place, "experience"), touchpoint.experience
