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
_CLUSTERS = {"day": ("journées", "days"), "week": ("semaines", "weeks"), "month": ("mois", "months")}
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


def name_clusters(panel: Panel) -> tuple[str, str]:
    """Return what answers are clustered by, in French and English: sites, or periods without one."""
    return ("sites", "sites") if panel.site else _CLUSTERS[panel.period]


def explain_gap(effect: Effect, blueprint: Blueprint, panel: Panel, placeless: bool) -> Words:
    """Return the sentence that stands where a number cannot."""
    name = blueprint.operation(effect.operation).label
    missing = effect.missing
    groups = name_clusters(panel)
    together = [blueprint.operation(partner).label for partner in effect.partners]
    french, english = (", ".join(label.in_language(lang) for label in together) for lang in ("fr", "en"))
    if placeless:
        return Words(
            fr=f"« {name.fr or name.en} » n'indique aucun site : rien ne distingue les sites d'une même période. "
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
            fr="À site et période égaux, l'opération ne varie pas.",
            en="At equal site and period, the operation does not vary.",
        ),
        "together": Words(
            fr=f"Effet indissociable de : {french}. Il faudrait des périodes où l'une varie sans l'autre.",
            en=f"Not separable from what must be held equal: {english}. Periods where one moves alone are needed.",
        ),
        "answers": Words(
            fr=f"Trop peu de réponses ({effect.answers}) : il en faut au moins {missing} de plus, sur plusieurs sites "
            "ou périodes.",
            en=f"Too few answers ({effect.answers}): at least {missing} more are needed, spread over the cells.",
        ),
        "clusters": Words(
            fr=f"{effect.clusters} {groups[0]} ne suffisent pas à un intervalle fiable : il en faut au moins "
            f"{missing} de plus.",
            en=f"{effect.clusters} {groups[1]} are too few for a sound interval: at least {missing} more are needed.",
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
        bound = f"{max(abs(effect.low), abs(effect.high)):.2g}"
        if clear:
            return Words(
                fr="Un essai tiré au sort mettrait plus de cinq ans à confirmer un effet aussi petit : d'après "
                f"l'intervalle, il ne dépasse pas {bound.replace('.', ',')} point.",
                en="A randomised trial would take more than five years to confirm so small an effect: by its interval "
                f"it does not exceed {bound} points.",
            )
        return Words(
            fr="Aucun essai raisonnable : même cinq ans de données ne distingueraient pas de zéro un effet aussi "
            f"petit. D'après l'intervalle, il ne dépasse pas {bound.replace('.', ',')} point, dans un sens ou dans "
            "l'autre.",
            en="No reasonable trial: even five years of data would not tell so small an effect from none. By its "
            f"interval it does not exceed {bound} points, either way.",
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
            fr=f"{lot_fr} et améliorez-y l'opération de {size[0]} : environ {wait} {many_fr} d'essai suffiraient à "
            "trancher.",
            en=f"{lot_en} and improve the operation there by {size[1]}: about {wait} {many_en} would settle it.",
        )
    more = max(wait - periods, 1)
    return Words(
        fr=f"L'effet ne se distingue pas de zéro. S'il a bien cette taille, environ {more} {many_fr} de données de "
        "plus suffiraient à le montrer.",
        en=f"The effect is not told from none. If it is this large, about {more} more {many_en} of data would show it.",
    )


def _write(number: float, unit: str) -> tuple[str, str]:
    text = f"{number:.3g}"
    return f"{text.replace('.', ',')} {unit}", f"{text} {unit}"
