"""Promises: which of the blueprint's promises are kept, at each touchpoint that makes one."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from parcours.blueprint.records import Blueprint, Promise, Touchpoint
from parcours.blueprint.records import Panel as PanelChoice
from parcours.measure.answered import ANSWERS
from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.promised import (
    PROMISED_EVENTS,
    Held,
    ends_of,
    gather_lots,
    hold_answers,
    hold_events,
    on_metric,
)
from parcours.measure.questions import Columns, Questions
from parcours.measure.splits import SPLITS, find_periods, write_period
from parcours.words import LANGUAGES, Words

Kept = Literal["kept", "broken", "uncertain", "not_measured"]
EXPERIENCE = "experience"
SHARE_TO_SAY = 0.9
"""A promise kept on average is said to hide a tail when fewer of its events than this keep it, for certain."""


def measure_promises(ask: Ask) -> Result:
    """Answer which promises are kept; ``ask.by`` may be ``week``."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    answers = questions.ask(ANSWERS)
    rows: list[dict[str, Any]] = []
    moments: list[int] = []
    number = 0
    for touchpoint in ask.blueprint.touchpoints:
        if touchpoint.promise is None:
            continue
        if touchpoint.promise.metric == EXPERIENCE:
            own = _pick(answers, ask.blueprint.touchpoints.index(touchpoint))
            found, times = _hold_experience(touchpoint, own, ask.by), own["at_ms"]
            clustered = "customer"
        else:
            found, times, clustered = _hold_operation(touchpoint.promise, questions, ask)
        moments += [int(times.min()), int(times.max())] if len(times) else []
        number += sum(held.n for _, held in found)
        rows += [_write_row(ask, touchpoint, week, held, clustered) for week, held in found]
    return MEASURE.answer(
        ask,
        rows,
        n=number,
        period=(min(moments), max(moments)) if number and moments else None,
        sql=questions.sql,
        warnings=_warn(ask.blueprint, rows),
        before=() if ask.by is None else (SPLITS["week"],),
    )


def judge(promise: Promise, low: float, high: float) -> Kept:
    """Hold a promise against a whole interval: kept or broken when it lies on one side of the bound, else uncertain."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return "not_measured"
    least, most = ends_of(promise)
    if high < least or low > most:
        return "broken"
    return "kept" if low >= least and high <= most else "uncertain"


def _pick(answers: Columns, touchpoint: int) -> Columns:
    kept = (answers["touchpoint"] == touchpoint) & np.isfinite(answers["score"])
    return {name: column[kept] for name, column in answers.items()}


def _hold_experience(touchpoint: Touchpoint, answers: Columns, by: str | None) -> list[tuple[str | None, Held]]:
    if touchpoint.experience is None or touchpoint.promise is None:
        return [(None, Held(*(np.nan,) * 6, 0, 0))] if by is None else []
    weeks = find_periods(answers["at_ms"], "week") if by else np.zeros(len(answers["at_ms"]), np.int64)
    starts, parts = np.unique(weeks, return_inverse=True)
    size = len(starts) if by else 1
    held = hold_answers(touchpoint.experience, touchpoint.promise, answers["customer"], answers["score"], parts, size)
    return list(zip(_name_weeks(starts, by), held, strict=True))


def _hold_operation(
    promise: Promise, questions: Questions, ask: Ask
) -> tuple[list[tuple[str | None, Held]], np.ndarray, str]:
    operation = ask.blueprint.operation(promise.metric)
    low, high = ends_of(promise)
    code = ask.blueprint.operations.index(operation)
    table = questions.ask(PROMISED_EVENTS, operation=code, at_least=float(low), at_most=float(high))
    lots, by_site = gather_lots(table, operation, promise, ask.blueprint.panel or PanelChoice())
    clustered = "site" if by_site else "period" if operation.measure.count else "day"
    shares = bool(operation.measure.bad)
    if ask.by is None:
        return [(None, hold_events(lots, shares))], table["day_ms"], clustered
    weeks = find_periods(lots.at_ms, "week")
    starts = np.unique(weeks)
    held = [hold_events(lots.keep(weeks == start), shares) for start in starts]
    return list(zip(_name_weeks(starts, ask.by), held, strict=True)), table["day_ms"], clustered


def _name_weeks(starts: np.ndarray, by: str | None) -> list[str | None]:
    return [write_period(start, "week") for start in starts.tolist()] if by else [None]


def _write_row(ask: Ask, touchpoint: Touchpoint, week: str | None, held: Held, clustered: str) -> dict[str, Any]:
    promise, blueprint = touchpoint.promise, ask.blueprint
    assert promise is not None  # noqa: S101 - rows are written of promises alone
    kept = judge(promise, held.low, held.high)
    figures = (held.value, held.low, held.high, held.share, held.share_low, held.share_high)
    value, low, high, share, share_low, share_high = (
        float(figure) if kept != "not_measured" and np.isfinite(figure) else None for figure in figures
    )
    behind = None if promise.metric == EXPERIENCE else blueprint.operation(promise.metric)
    row: dict[str, Any] = {} if ask.by is None else {"week": week}
    row |= {"touchpoint": touchpoint.id, "metric": promise.metric, "kept": kept}
    row |= {"value": value, "low": low, "high": high, "bound": _find_bound(promise, value)}
    row |= {"at_least": promise.at_least, "at_most": promise.at_most}
    row |= {"unit": behind.measure.unit if behind else _name_unit(touchpoint)}
    row |= {"kept_share": share, "share_low": share_low, "share_high": share_high}
    row |= {"n": held.n, "clusters": held.clusters, "clustered_by": clustered}
    row |= {"group_size": held.clusters if clustered == "customer" else held.n}
    return row | {"owner": behind.owner if behind else touchpoint.owner}


def _find_bound(promise: Promise, value: float | None) -> float | None:
    """Return the one bound, or of two the nearer to the value (the upper one where there is none)."""
    if promise.at_least is None or promise.at_most is None:
        return promise.at_most if promise.at_least is None else promise.at_least
    near = value is not None and abs(value - promise.at_least) < abs(value - promise.at_most)
    return promise.at_least if near else promise.at_most


def _name_unit(touchpoint: Touchpoint) -> str:
    experience, promise = touchpoint.experience, touchpoint.promise
    if experience is None or promise is None:
        return "points"
    if on_metric(experience, promise) and experience.metric != "ces":
        return "share" if experience.metric == "csat" else "points (−100–100)"
    return f"points ({experience.scale[0]:g}–{experience.scale[1]:g})"


def _warn(blueprint: Blueprint, rows: list[dict[str, Any]]) -> tuple[Words, ...]:
    if not any(touchpoint.promise for touchpoint in blueprint.touchpoints):
        return (_NOTHING_PROMISED,)
    found = []
    if not rows or any(row["kept"] == "not_measured" for row in rows):
        found.append(_NOT_MEASURED)
    hidden = [
        blueprint.touchpoint(row["touchpoint"]).label
        for row in rows
        if row["kept"] == "kept" and row["metric"] != EXPERIENCE and row["share_high"] < SHARE_TO_SAY
    ]
    names = {tongue: ", ".join(dict.fromkeys(label.in_language(tongue) for label in hidden)) for tongue in LANGUAGES}
    if hidden:
        found.append(
            Words(
                fr=f"Tenues en moyenne, mais moins de neuf fois sur dix : {names['fr']}. Lisez « Part tenue ».",
                en=f"Kept on average, but fewer than nine times in ten: {names['en']}. Read “Share kept”.",
            )
        )
    return tuple(found)


_NOTHING_PROMISED = Words(
    fr="Aucun point de contact ne porte de promesse : ajoutez « promise » dans le blueprint.",
    en="No touchpoint promises anything: add “promise” in the blueprint.",
)
_NOT_MEASURED = Words(
    fr="Certaines promesses ne sont pas mesurées : il faut au moins dix événements, de deux sites ou de deux jours, ou "
    "dix réponses, de dix clients.",
    en="Some promises are not measured: at least ten events from two sites or two days are needed, or ten answers from "
    "ten customers.",
)
COLUMNS = (
    Column("touchpoint", Words(fr="Point de contact", en="Touchpoint")),
    Column("metric", Words(fr="Suivie par", en="Followed by")),
    Column("kept", Words(fr="Promesse", en="Promise")),
    Column("value", Words(fr="Valeur", en="Value"), "number"),
    Column("low", Words(fr="Bas", en="Low"), "number"),
    Column("high", Words(fr="Haut", en="High"), "number"),
    Column("at_least", Words(fr="Au moins", en="At least"), "number"),
    Column("at_most", Words(fr="Au plus", en="At most"), "number"),
    Column("unit", Words(fr="Unité", en="Unit")),
    Column("kept_share", Words(fr="Part tenue", en="Share kept"), "share"),
    Column("share_low", Words(fr="Part, bas", en="Share, low"), "share"),
    Column("share_high", Words(fr="Part, haut", en="Share, high"), "share"),
    Column("n", Words(fr="n", en="n"), "count"),
    Column("owner", Words(fr="Responsable", en="Owner")),
)
_DEFINITION = Words(
    fr="Une promesse est tenue quand tout l'intervalle à 95 % de la moyenne est du bon côté du seuil, non tenue quand "
    "il est tout entier de l'autre, incertaine quand il contient le seuil. Moyenne : des événements de l'opération, ou "
    "des notes des clients (CSAT promis entre 0 et 1 : part satisfaite ; NPS : points). « Part tenue » : part des "
    "événements, ou des notes, qui respectent eux-mêmes le seuil ; une moyenne qui tient la promesse peut cacher "
    "beaucoup de cas qui ne la tiennent pas. n compte les événements (opération comptée : les cellules site × "
    "période) ou les réponses.",
    en="A promise is kept when the whole 95 % interval of the mean is on the right side of the bound, broken when it "
    "is all on the other, uncertain when it holds the bound. Mean: of the operation's events, or of the customers' "
    "scores (CSAT promised between 0 and 1: satisfied share; NPS: points). “Share kept”: share of events, or of "
    "scores, that respect the bound themselves; a mean that is kept may hide a long tail. n counts events (counted "
    "operation: site × period cells) or answers.",
)
_METHOD = Words(
    fr="Opérations : rapport de totaux linéarisé, par grappes de sites (de jours sous cinq sites ou sans site ; de "
    "périodes pour une opération comptée) ; moyenne avec t(G−1), part par Wilson à l'effectif efficace. Expérience : "
    "les intervalles de la mesure « experience », les réponses d'un client comptées ensemble.",
    en="Operations: linearised ratio of totals, in clusters of sites (of days under five sites or without one; of "
    "periods for a counted operation); mean with t(G−1), share by Wilson at the effective number. Experience: the "
    "intervals of the measure “experience”, one customer's answers counted together.",
)

MEASURE = Measure(
    name="promises",
    question=Words(fr="Quelles promesses sont tenues ?", en="Which promises are kept?"),
    unit=Words(fr="l'unité de chaque promesse", en="each promise's own unit"),
    definition=_DEFINITION,
    method=_METHOD,
    source="Wolter 2007, Introduction to Variance Estimation; Franco, Little, Louis & Slud 2019, J. Survey Statistics "
    "and Methodology 7(3).",
    inputs=("operations", "answers"),
    columns=COLUMNS,
    splits=("week",),
    counted=(Counted("group_size"),),
    compute=measure_promises,
)
