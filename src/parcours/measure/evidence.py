"""How far to believe a cause: its grade, why there is no number, and what would settle it."""

from __future__ import annotations

import math
from typing import Literal

from parcours.blueprint.records import Blueprint, Operation, Panel, Touchpoint
from parcours.measure.effects import Effect
from parcours.words import Words

Grade = Literal["observed", "natural_experiment", "trial"]
OBSERVED: Grade = "observed"
NATURAL_EXPERIMENT: Grade = "natural_experiment"
TRIAL: Grade = "trial"

PERIODS: dict[str, Words] = {
    "day": Words(fr="jour", en="day"),
    "week": Words(fr="semaine", en="week"),
    "month": Words(fr="mois", en="month"),
}
_PLURAL = {"day": ("jours", "days"), "week": ("semaines", "weeks"), "month": ("mois", "months")}
_LONGEST = {"day": 1826, "week": 260, "month": 60}
"""Five years, in periods: beyond that nobody waits."""
_POWER = 2.8
"""Effect over standard error that gives 80 % power at 5 %, two-sided."""
SHORTEST_TRIAL = 4
"""Periods: however large the effect, a shorter trial would show the haste, not the operation."""
_HALVED = 2.0
"""A draw by lot of half the cells varies by half a step, where the observed panel varies by a whole one."""


def name_unit(touchpoint: Touchpoint, panel: Panel) -> str:
    """Return the unit of an effect on ``touchpoint``: points of its scale per within-SD of the operation."""
    low, high = touchpoint.experience.scale if touchpoint.experience else (0.0, 0.0)
    inside = f"within-site-and-{panel.period}" if panel.site else "within-period"
    return f"points ({low:g}–{high:g}) per {inside} SD"


def explain_gap(effect: Effect, blueprint: Blueprint, panel: Panel, placeless: bool) -> Words:
    """Return the sentence that stands where a number cannot."""
    name = blueprint.operation(effect.operation).label
    missing = effect.missing
    groups = (
        ("sites de plus", "more sites")
        if panel.site
        else (f"{_PLURAL[panel.period][0]} de plus", f"more {_PLURAL[panel.period][1]}")
    )
    together = [blueprint.operation(partner).label for partner in effect.partners]
    french, english = (", ".join(label.in_language(lang) for label in together) for lang in ("fr", "en"))
    if placeless:
        return Words(
            fr=f"« {name.fr or name.en} » n'indique aucun site : rien ne varie entre sites d'une même période. "
            f"Ajoutez le champ « {panel.site} » à ses événements.",
            en=f"“{name.en or name.fr}” names no site, so nothing differs between sites of one period. "
            f"Add the field “{panel.site}” to its events.",
        )
    sentences = {
        "unseen": Words(
            fr="Aucun événement de cette opération ne tombe là où des clients ont répondu.",
            en="No event of this operation falls where customers have answered.",
        ),
        "still": Words(
            fr="L'opération ne varie pas, une fois retirés les effets du site et de la période.",
            en="The operation does not vary once the effects of site and period are removed.",
        ),
        "together": Words(
            fr=f"Inséparable de ce qui doit rester égal : {french}. Il faut des périodes où l'une bouge sans l'autre.",
            en=f"Not separable from what must be held equal: {english}. Periods where one moves alone are needed.",
        ),
        "answers": Words(
            fr=f"Trop peu de réponses ({effect.answers}) : il en faut au moins {missing} de plus, réparties.",
            en=f"Too few answers ({effect.answers}): at least {missing} more are needed, spread over the cells.",
        ),
        "clusters": Words(
            fr=f"Pas d'intervalle sûr avec {effect.clusters} : il faut au moins {missing} {groups[0]}.",
            en=f"No safe interval with {effect.clusters}: at least {missing} {groups[1]} are needed.",
        ),
    }
    return sentences[effect.gap]


def settle(effect: Effect, operation: Operation, panel: Panel, periods: int) -> Words:
    """Return what would settle whether the operation causes what it goes with.

    The length of the trial follows from the observed standard error: noise as now, the operation moved by one
    within-SD in half of the cells drawn by lot, 80 % power at 5 %.

    Args:
        effect: an estimated effect.
        operation: its operation.
        panel: how cells are cut.
        periods: how many periods the observed standard error rests on.
    """
    one, (many_fr, many_en) = PERIODS[panel.period], _PLURAL[panel.period]
    size = _write(effect.sd, operation.measure.unit)
    ratio = _POWER * effect.error / max(abs(effect.effect), 1e-300)
    clear = effect.low > 0 or effect.high < 0
    wait = math.ceil(periods * (ratio * (_HALVED if clear else 1.0)) ** 2) if ratio < 1e4 else 10**9
    if wait > _LONGEST[panel.period]:
        bound = max(abs(effect.low), abs(effect.high))
        return Words(
            fr=f"Un effet aussi petit ne se distinguerait pas de zéro en cinq ans ; au plus {bound:.2f} point.".replace(
                ".", ",", 1
            ),
            en=f"An effect this small would not be told from none in five years; at most {bound:.2f} points.",
        )
    if clear:
        wait = max(wait, SHORTEST_TRIAL)
        lot_fr = (
            f"Chaque {one.fr}, tirez au sort la moitié des sites"
            if panel.site
            else f"Tirez au sort la moitié des {many_fr}"
        )
        lot_en = f"Each {one.en}, draw by lot half of the sites" if panel.site else f"Draw by lot half of the {many_en}"
        return Words(
            fr=f"{lot_fr} et améliorez-y l'opération de {size[0]} : environ {wait} {many_fr} d'essai trancheraient.",
            en=f"{lot_en} and improve the operation there by {size[1]}: about {wait} {many_en} would settle it.",
        )
    more = max(wait - periods, 1)
    return Words(
        fr=f"Pas distinct de zéro. Environ {more} {many_fr} de plus, comme ceux d'ici, le montreraient à cette taille.",
        en=f"Not told from none. About {more} more {many_en} like these would show it if it is this large.",
    )


def _write(number: float, unit: str) -> tuple[str, str]:
    text = f"{number:.3g}"
    return f"{text.replace('.', ',')} {unit}", f"{text} {unit}"
