"""Experience: what customers report at each touchpoint, with its interval, and how many said nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parcours.blueprint.records import Blueprint
from parcours.measure.answered import ANSWERS, Cells, Parts, fill_cells, part
from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.intervals import bound_difference, find_detectable, shrink
from parcours.measure.questions import Columns, Questions
from parcours.measure.scores import FEWEST, Scale
from parcours.measure.splits import SPLITS
from parcours.words import LANGUAGES, Words


def shrink_cells(cells: Cells, reliable: NDArray[np.bool_], pooled: bool) -> NDArray[np.float64]:
    """Return (3, cells): estimate, low and high pulled towards like cells; NaN where there are too few alike."""
    found = np.full((3, len(cells.scales)), np.nan)
    alike: dict[tuple[Scale, int], list[int]] = {}
    for i in np.flatnonzero(reliable).tolist():
        alike.setdefault((cells.scales[i], -1 if pooled else int(cells.outer[i])), []).append(i)
    for (scale, _), members in alike.items():
        pulled = shrink(cells.scores.score[members], cells.scores.error[members])
        if pulled is None:
            continue
        bottom, top = {"csat": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(scale.metric, (scale.low, scale.high))
        found[:, members] = np.clip([pulled.estimate, pulled.low, pulled.high], bottom, top)
    return found


def write_rows(ask: Ask, parts: Parts, cells: Cells) -> list[dict[str, Any]]:
    """Return the rows, in the order of the blueprint (periods: touchpoint first, then time)."""
    made = cells.scores
    reliable = (made.number >= FEWEST) & (made.customers >= FEWEST)
    shrunken = shrink_cells(cells, reliable, parts.pooled)
    periodic = ask.by in ("week", "month")
    order = np.lexsort((cells.outer, cells.touchpoint)) if periodic else np.arange(len(cells.scales))
    detectable = find_detectable(made.error)
    rows = []
    for i in order.tolist():
        scale, sure = cells.scales[i], bool(reliable[i])
        row: dict[str, Any] = {"touchpoint": None}
        if ask.by:
            row = {ask.by.split(",")[-1].split(":")[0]: parts.labels[cells.outer[i]]} | row
        if cells.touchpoint[i] >= 0:
            row["touchpoint"] = ask.blueprint.touchpoints[cells.touchpoint[i]].id
        figures = [*(one[i] for one in (made.score, made.low, made.high)), *shrunken[:, i], detectable[i]]
        score, low, high, pulled, pulled_low, pulled_high, change = (_say(x, sure) for x in figures)
        visits, answered = int(cells.visits[i]), int(cells.answered[i])
        row |= {"metric": scale.metric, "score": score, "low": low, "high": high, "n": int(made.number[i])}
        row |= {"customers": int(made.customers[i]), "effective_n": _say(made.effective[i], sure)}
        row |= {"visits": visits, "response_rate": min(answered / visits, 1.0) if visits and answered else None}
        row |= {"shrunken": pulled, "shrunken_low": pulled_low, "shrunken_high": pulled_high}
        row |= {"detectable_change": change, "mean_score": _say(made.mean[i], sure)}
        row |= {"distribution": cells.distribution.get(i, {}) if sure else None}
        row |= {"unit": scale.unit, "scale": str(scale)}
        row["state"] = "measured" if sure else "too_few_answers" if made.number[i] else "no_answers"
        rows.append(row)
    return _add_changes(rows) if periodic else rows


def _say(value: float, sure: bool) -> float | None:
    return float(value) if sure and np.isfinite(value) else None


def _add_changes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the change from the period before; an arrow only where its interval leaves 0 out."""
    for before, row in zip([None, *rows], rows, strict=False):
        row |= {"change": None, "change_low": None, "change_high": None, "arrow": None}
        same = before is not None and before["touchpoint"] == row["touchpoint"]
        if before is None or not same or before["score"] is None or row["score"] is None:
            continue
        ends = [(one["score"], one["low"], one["high"]) for one in (before, row)]
        low, high = bound_difference(ends[0], ends[1])
        arrow = "up" if low > 0 else "down" if high < 0 else None
        row |= {"change": row["score"] - before["score"], "change_low": low, "change_high": high, "arrow": arrow}
    return rows


def warn(blueprint: Blueprint, rows: list[dict[str, Any]]) -> tuple[Words, ...]:
    """Return what the reader must know: nothing to measure, touchpoints without a question, too few answers."""
    silent = [one for one in blueprint.touchpoints if one.experience is None]
    found = []
    if not any(row["n"] for row in rows):
        found.append(NOTHING)
    elif silent:
        names = {language: ", ".join(one.label.in_language(language) for one in silent) for language in LANGUAGES}
        found.append(
            Words(
                fr=f"Points de contact où aucune question n'est posée, donc rien n'est mesuré : {names['fr']}.",
                en=f"Touchpoints where no question is asked, so nothing is measured: {names['en']}.",
            )
        )
    few = sum(row["state"] == "too_few_answers" for row in rows)
    if few:
        found.append(
            Words(
                fr=f"Lignes sans chiffre, faute de réponses : {few}. À moins de {FEWEST} réponses ou de {FEWEST} "
                "clients, l'intervalle serait trop large.",
                en=f"Rows without a number, for want of answers: {few}. Under {FEWEST} answers or {FEWEST} customers "
                "the interval would be too wide.",
            )
        )
    return tuple(found)


def measure_experience(ask: Ask) -> Result:
    """Answer what customers report, per touchpoint or split."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    answers = _keep_declared(questions.ask(ANSWERS), ask.blueprint)
    parts = part(ask, questions, answers)
    cells = fill_cells(ask.blueprint, parts, answers)
    rows = write_rows(ask, parts, cells)
    times = answers["at_ms"]
    split = () if ask.by is None else (SPLITS[ask.by.split(",")[-1].split(":")[0]],)
    return MEASURE.answer(
        ask,
        rows,
        n=len(times),
        period=(int(times.min()), int(times.max())) if len(times) else None,
        sql=questions.sql,
        warnings=warn(ask.blueprint, rows),
        before=split,
        after=CHANGES if ask.by in ("week", "month") else (),
    )


def _keep_declared(answers: Columns, blueprint: Blueprint) -> Columns:
    """Leave out answers of touchpoints that no longer ask, and scores that are not numbers."""
    asks = np.array([one.experience is not None for one in blueprint.touchpoints], bool)
    kept = asks[answers["touchpoint"]] & np.isfinite(answers["score"])
    return {name: column[kept] for name, column in answers.items()}


NOTHING = Words(
    fr="Aucune réponse de client : l'expérience n'est pas mesurée et rien n'est inventé. Posez une question juste "
    "après chaque moment (satisfaction de 1 à 5, recommandation de 0 à 10 ou effort de 1 à 7), par courriel, SMS, "
    "tablette ou dans l'application ; gardez le client, la date, la note et le numéro de commande ou de dossier, "
    "puis déclarez la question sous `experience` dans le blueprint et sa source dans `sources/`.",
    en="No customer has answered: experience is not measured, and nothing is invented. Ask one question right after "
    "each moment (satisfaction 1–5, recommendation 0–10 or effort 1–7), by e-mail, text message, tablet or in the "
    "app; keep the customer, the date, the score and the order or case number, then declare it under `experience` "
    "in the blueprint and its source in `sources/`.",
)
DEFINITION = Words(
    fr="CSAT : part des réponses satisfaites (dès la note déclarée, sinon les deux plus hautes), de 0 à 1. NPS : "
    "100 × (part des 9–10 − part des 0–6), de −100 à 100. CES : moyenne sur son échelle. n compte les réponses. Une "
    "réponse compte à la date du contact dont elle parle (UTC ; semaines du lundi). Taux de réponse : contacts "
    "auxquels une réponse se rattache, divisés par tous les contacts. Seuls ceux qui ont répondu sont dans le score.",
    en="CSAT: share of satisfied answers (from the declared score, else the two highest), 0 to 1. NPS: 100 × (share "
    "of 9–10 − share of 0–6), −100 to 100. CES: mean on its scale. n counts answers. An answer counts at the time of "
    "the touch it speaks of (UTC; weeks start on Monday). Response rate: touches that an answer speaks of, over all "
    "touches. Scores are those of the people who answered.",
)
METHOD = Words(
    fr="Intervalles à 95 % : Wilson (CSAT), effectifs ajustés (NPS), t (CES). Les réponses d'un même client sont "
    "comptées ensemble : n est divisé par l'effet de plan de sondage (CES : variance par grappes de clients, t à "
    "clients − 1 degrés). Estimation resserrée : vers la moyenne des points semblables (DerSimonian–Laird, Morris "
    "1983), dès quatre. Plus petit changement décelable : entre deux vagues égales, puissance 80 %, seuil 5 %. Flèche "
    ": seulement si l'intervalle de la différence exclut 0.",
    en="95 % intervals: Wilson (CSAT), adjusted counts (NPS), t (CES). One customer's answers count together: n is "
    "divided by the design effect (CES: variance clustered by customer, t with customers − 1 degrees). Shrunken "
    "estimate: towards the mean of like touchpoints (DerSimonian–Laird, Morris 1983), from four on. Smallest "
    "detectable change: between two equal waves, 80 % power, 5 % level. Arrow: only where the interval of the "
    "difference excludes 0.",
)
CHANGES = (
    Column("change", Words(fr="Évolution", en="Change"), "number"),
    Column("change_low", Words(fr="Évolution, bas", en="Change, low"), "number"),
    Column("change_high", Words(fr="Évolution, haut", en="Change, high"), "number"),
    Column("arrow", Words(fr="Sens", en="Direction")),
)
MEASURE = Measure(
    name="experience",
    question=Words(
        fr="Que disent les clients de ce qu'ils vivent à chaque point de contact ?",
        en="What do customers report of their experience at each touchpoint?",
    ),
    unit=Words(fr="score de sa métrique", en="score of its metric"),
    definition=DEFINITION,
    method=METHOD,
    source="Wilson 1927; Rocks 2016; Student 1908; DerSimonian & Laird 1986; Morris 1983.",
    inputs=("answers", "touches", "customers"),
    columns=(
        Column("touchpoint", Words(fr="Point de contact", en="Touchpoint")),
        Column("metric", Words(fr="Métrique", en="Metric")),
        Column("score", Words(fr="Score", en="Score"), "number"),
        Column("low", Words(fr="Bas", en="Low"), "number"),
        Column("high", Words(fr="Haut", en="High"), "number"),
        Column("n", Words(fr="Réponses", en="Answers"), "count"),
        Column("customers", Words(fr="Clients", en="Customers"), "count"),
        Column("effective_n", Words(fr="Réponses indépendantes", en="Independent answers"), "number"),
        Column("visits", Words(fr="Contacts", en="Touches"), "count"),
        Column("response_rate", Words(fr="Taux de réponse", en="Response rate"), "share"),
        Column("shrunken", Words(fr="Score resserré", en="Shrunken score"), "number"),
        Column("shrunken_low", Words(fr="Resserré, bas", en="Shrunken, low"), "number"),
        Column("shrunken_high", Words(fr="Resserré, haut", en="Shrunken, high"), "number"),
        Column("detectable_change", Words(fr="Changement décelable", en="Detectable change"), "number"),
        Column("mean_score", Words(fr="Note moyenne", en="Mean score"), "number"),
        Column("distribution", Words(fr="Répartition", en="Distribution")),
        Column("unit", Words(fr="Unité", en="Unit")),
        Column("scale", Words(fr="Échelle", en="Scale")),
        Column("state", Words(fr="État", en="State")),
    ),
    splits=("channel", "stage", "group", "touchpoint,group", "week", "month"),
    counted=(Counted("customers"),),
    lattice=("channel", "stage", "group", "week"),
    compute=measure_experience,
)
