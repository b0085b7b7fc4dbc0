"""Causes: which operations behind the line go with a bad experience, by how much, and how far to believe it."""

from __future__ import annotations

from typing import Any

from parcours.measure.adjustment import parents_of, supporters_of
from parcours.measure.cautions import warn_causes
from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.effects import Effect, Estimate, estimate
from parcours.measure.evidence import OBSERVED, explain_gap, name_unit, settle
from parcours.measure.exposure import Exposures
from parcours.measure.panel import CompanyPanel, TouchpointPanel
from parcours.measure.questions import Questions
from parcours.words import Words


def compute(ask: Ask) -> Result:
    """Answer which operations go with the experience of each scored touchpoint, the worst first."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    panel = CompanyPanel(questions, ask.blueprint)
    exposures = Exposures(questions, panel)
    parents = parents_of(ask.blueprint)
    found: list[tuple[TouchpointPanel, Estimate]] = []
    rows: list[dict[str, Any]] = []
    for touchpoint in panel.touchpoints():
        cells = panel.panel_of(touchpoint)
        supporters = supporters_of(ask.blueprint, touchpoint.id)
        estimated = estimate(cells.cells, cells.measured, parents, supporters)
        found.append((cells, estimated))
        rows += [write_row(panel, cells, exposures, estimated, effect) for effect in estimated.effects]
    rank_rows(rows)
    return MEASURE.answer(
        ask,
        rows,
        n=sum(int(cells.cells.answers.sum()) for cells, _ in found),
        period=ask.rows.period,
        sql=questions.sql,
        warnings=warn_causes(panel, found),
    )


def write_row(
    panel: CompanyPanel, cells: TouchpointPanel, exposures: Exposures, estimated: Estimate, effect: Effect
) -> dict[str, Any]:
    """Return one row; where the data cannot answer, the figures are ``None`` and ``why`` says the reason."""
    operation = panel.blueprint.operation(effect.operation)
    shown = not effect.gap
    exposed = exposures.measure(cells, operation) if operation.id in cells.measured else None
    promise = cells.touchpoint.promise
    experience = cells.touchpoint.experience
    low, high = experience.scale if experience else (0.0, 1.0)
    worse = 1.0 if operation.measure.worse == "high" else -1.0
    return {
        "rank": 0,
        "touchpoint": cells.touchpoint.id,
        "rank_at_touchpoint": 0,
        "operation": operation.id,
        "effect": effect.effect if shown else None,
        "low": effect.low if shown else None,
        "high": effect.high if shown else None,
        "unit": name_unit(cells.touchpoint, panel.choice),
        "harm": -worse * effect.effect / (high - low) if shown else None,
        "harm_at_least": min(-worse * effect.low, -worse * effect.high) / (high - low) if shown else None,
        "clear": bool(effect.low > 0 or effect.high < 0) if shown else None,
        "p": effect.p if shown else None,
        "effect_natural": effect.slope if shown else None,
        "natural_unit": operation.measure.unit,
        "sd": effect.sd if effect.sd == effect.sd else None,
        "worse": operation.measure.worse,
        "grade": OBSERVED if shown else None,
        "robustness": effect.robustness if shown else None,
        "n": effect.answers,
        "response_rate": estimated.weights.rate if estimated.weights.known else None,
        "sites": effect.clusters if panel.choice.site else None,
        "clusters": effect.clusters,
        "customers": exposed.customers if exposed else None,
        "value": exposed.value_cents / 100 if exposed else None,
        "owner": operation.owner,
        "line": operation.line,
        "direct": cells.touchpoint.id in operation.supports,
        "held_equal": list(effect.controls),
        "promise": say(promise.label) if promise and promise.metric == operation.id else None,
        "settle": say(settle(effect, operation, panel.choice, cells.count_periods())) if shown else None,
        "why": None
        if shown
        else say(explain_gap(effect, panel.blueprint, panel.choice, panel.is_placeless(operation))),
    }


def rank_rows(rows: list[dict[str, Any]]) -> None:
    """Sort in place and number: the operations that surely hurt most first, those without a number last.

    What ranks is the least harm that the interval allows, as a share of the scale, so that touchpoints with
    different scales compare and a touchpoint with few answers does not win by its noise.
    """
    rows.sort(key=lambda row: (row["harm_at_least"] is None, -(row["harm_at_least"] or 0.0)))
    seen: dict[str, int] = {}
    for rank, row in enumerate(rows, 1):
        seen[row["touchpoint"]] = seen.get(row["touchpoint"], 0) + 1
        row["rank"], row["rank_at_touchpoint"] = rank, seen[row["touchpoint"]]


def say(words: Words) -> dict[str, str]:
    """Return both languages as plain data: rows are kept as JSON, which knows no `Words`."""
    return {"fr": words.in_language("fr"), "en": words.in_language("en")}


COLUMNS = (
    Column("rank", Words(fr="Rang", en="Rank"), "count"),
    Column("touchpoint", Words(fr="Point de contact", en="Touchpoint")),
    Column("operation", Words(fr="Opération", en="Operation")),
    Column("effect", Words(fr="Effet", en="Effect"), "number"),
    Column("low", Words(fr="Bas", en="Low"), "number"),
    Column("high", Words(fr="Haut", en="High"), "number"),
    Column("unit", Words(fr="Unité", en="Unit")),
    Column("grade", Words(fr="Preuve", en="Grade")),
    Column("n", Words(fr="Réponses", en="Answers"), "count"),
    Column("customers", Words(fr="Clients", en="Customers"), "count"),
    Column("value", Words(fr="Chiffre d'affaires exposé", en="Revenue exposed"), "money"),
    Column("owner", Words(fr="Responsable", en="Owner")),
)
"""What stands in a table; rows hold more: effect_natural, sd, robustness, clear, direct, settle, why …"""

_DEFINITION = Words(
    fr="effect : de combien la note moyenne du point de contact change, en points de son échelle, quand l'opération "
    "monte d'un écart-type interne (celui qui reste, sur les visites, une fois retirés les effets du site et de la "
    "période) ; c'est l'effet total, étapes intermédiaires comprises ; effect_natural : le même par unité naturelle. "
    "L'effet est corrigé des autres opérations que les flèches du blueprint désignent, jamais d'une conséquence. Rang "
    ": la dégradation que l'intervalle garantit au moins, en part de l'échelle. robustness : la part de la variation "
    "restante, de la note comme de l'opération, qu'une cause cachée devrait expliquer pour ramener l'effet à zéro. "
    "Preuve « observed » : va de pair, sans être prouvé. n : réponses utilisées. Jours et semaines (dès lundi) en UTC.",
    en="effect: by how much the touchpoint's mean score changes, in points of its scale, when the operation rises by "
    "one within-SD (what is left of it, over visits, once the effects of site and period are removed); it is the total "
    "effect, through every step between; effect_natural: the same per natural unit. Held equal: the other operations "
    "that the blueprint's arrows point out, never a consequence. Rank: the harm that the interval leaves at least, as "
    "a share of the scale. robustness: the share of what is left of both score and operation that a hidden cause would "
    "have to explain to bring the effect to zero. Grade “observed”: goes with, not proven to cause. n: answers used. "
    "Days and weeks (from Monday) in UTC.",
)
_METHOD = Words(
    fr="Régression pondérée de la note sur l'opération et son ensemble d'ajustement, effets du site et de la période "
    "retirés par projections alternées ; chaque réponse pèse 1/P(réponse | opérations, site, période) ; intervalles à "
    "95 % en laissant chaque site de côté tour à tour (chaque période, sans site), t(G−1). Chaque intervalle est "
    "calculé seul : environ un sur vingt ne contient pas la vraie valeur.",
    en="Weighted regression of the score on the operation and its adjustment set, site and period effects removed by "
    "alternating projections; each answer weighs 1/P(answer | operations, site, period); 95 % intervals by "
    "leaving each site out in turn (each period, without a site), t(G−1). Each interval stands alone: of twenty, "
    "about one misses.",
)

MEASURE = Measure(
    name="causes",
    question=Words(
        fr="Quelles opérations, derrière la ligne de visibilité, vont de pair avec une mauvaise expérience ?",
        en="Which operations behind the line of visibility go with a bad experience?",
    ),
    unit=Words(
        fr="points de l'échelle du point de contact, pour un écart-type interne de l'opération",
        en="points of the touchpoint's scale, per within-SD of the operation",
    ),
    definition=_DEFINITION,
    method=_METHOD,
    source="Henckel, Perković & Maathuis 2022, JRSS B 84(2); MacKinnon, Nielsen & Webb 2023, J. Applied "
    "Econometrics 38(5); Cinelli & Hazlett 2020, JRSS B 82(1).",
    inputs=("touches", "answers", "operations", "customers"),
    columns=COLUMNS,
    counted=(Counted("n"), Counted("customers", ("value",))),
    compute=compute,
)
