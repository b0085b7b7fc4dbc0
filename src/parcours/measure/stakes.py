"""Stakes: how many customers met an operation at its worst or had a bad experience, and the revenue they brought."""

from __future__ import annotations

from typing import Any

import numpy as np

from parcours.blueprint.records import Experience
from parcours.engine.sql.step import Step
from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.exposure import Exposed, Exposures, Flags, bound_clustered
from parcours.measure.intervals import Floats, bound_mean
from parcours.measure.panel import CompanyPanel, TouchpointPanel
from parcours.measure.questions import Questions
from parcours.measure.scores import DETRACTOR_TO, find_satisfied_from
from parcours.measure.splits import SPLITS, group_customers
from parcours.words import Words

BAD_ANSWERS = Step(
    name="stakes_answers",
    text="""
    select touchpoint, customer, min(score) as lowest
    from answers
    where touchpoint is not null and customer is not null and score is not null
    group by touchpoint, customer
    """,
    reads=("answers",),
    gives={"touchpoint": "int", "customer": "int", "lowest": "float"},
)

_OPERATION, _ANSWERS = "worst_days", "bad_experience"
_LIKELY = ("likely", "likely_low", "likely_high")
_LIKELY_VALUE = ("likely_value", "likely_value_low", "likely_value_high")


def compute(ask: Ask) -> Result:
    """Answer who and how much is exposed, per touchpoint and operation; ``ask.by`` may be ``group:ID``."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    panel = CompanyPanel(questions, ask.blueprint)
    exposures = Exposures(questions, panel)
    groups = _split(ask, questions, len(exposures.value_cents))
    lowest = questions.ask(BAD_ANSWERS)
    rows: list[dict[str, Any]] = []
    for touchpoint in panel.touchpoints():
        cells = panel.panel_of(touchpoint)
        mine = lowest["touchpoint"] == ask.blueprint.touchpoints.index(touchpoint)
        answered = (lowest["customer"][mine], lowest["lowest"][mine])
        for group, among in groups:
            rows += _find_rows(cells, exposures, ask, group, among)
            rows += _find_bad(cells, exposures, answered, group, among)
    rows.sort(key=lambda row: (row["kind"] != _OPERATION, -row["value"], -row["customers"]))
    for rank, row in enumerate(rows, 1):
        row["rank"] = rank
    return MEASURE.answer(
        ask,
        rows,
        n=len(exposures.value_cents),
        period=ask.rows.period,
        sql=questions.sql,
        warnings=_warn(ask, rows),
        before=() if ask.by is None else (SPLITS["group"],),
    )


def find_threshold(experience: Experience) -> float:
    """Return the score below which an experience counts as bad, in points of its scale.

    A recommendation score is bad when it is a detractor's; satisfaction below what counts as satisfied; effort below
    ``satisfied_from`` where it is declared, else below the middle of the scale.
    """
    if experience.metric == "nps":
        return DETRACTOR_TO + 1
    if experience.metric == "ces" and experience.satisfied_from is None:
        return sum(experience.scale) / 2
    return find_satisfied_from(experience)


def _find_rows(
    cells: TouchpointPanel, exposures: Exposures, ask: Ask, group: str | None, among: Flags | None
) -> list[dict[str, Any]]:
    rows = []
    for id in cells.measured:
        exposed = exposures.measure(cells, ask.blueprint.operation(id), among)
        if exposed is not None:
            rows.append(_write_row(cells, id, _OPERATION, group, exposed, [exposed.customers] * 3, [None] * 3))
    return rows


def _find_bad(
    cells: TouchpointPanel,
    exposures: Exposures,
    answered: tuple[Any, Any],
    group: str | None,
    among: Flags | None,
) -> list[dict[str, Any]]:
    customers, scores = answered
    met = exposures.customers_at(cells)
    if among is not None:
        kept = among[customers]
        customers, scores, met = customers[kept], scores[kept], met[among[met]]
    if not len(customers) or cells.touchpoint.experience is None:
        return []
    bad = scores < find_threshold(cells.touchpoint.experience)
    low, high = bound_clustered(bad, np.arange(len(bad)))
    brought = exposures.value_cents.astype(np.float64) / 100
    said = Exposed(
        int(bad.sum()), len(bad), float(bad.mean()), low, high, int(exposures.value_cents[customers[bad]].sum()), 0
    )
    everyone = max(len(met), len(bad))
    likely = [round(share * everyone) for share in (said.share, low, high)]
    money = spread_value(bad, brought[customers], float(brought[np.union1d(met, customers)].sum()))
    return [_write_row(cells, None, _ANSWERS, group, said, likely, money)]


def spread_value(bad: Flags, value: Floats, whole: float) -> list[float | None]:
    """Return (estimate, low, high) of the revenue of all who had a bad experience, from those who answered.

    The share of the answerers' revenue that comes from bad experiences, a ratio over customers, linearised and taken
    with t(n−1), times the ``whole`` revenue of everybody seen; all ``None`` without revenue or with one answerer.

    Args:
        bad: (n,) who among the answerers had a bad experience.
        value: (n,) what each of them brought.
        whole: what everybody seen there brought.
    """
    total = float(value.sum())
    if total <= 0 or len(bad) < 2:
        return [None, None, None]
    share = float(value[bad].sum()) / total
    error = float(np.sqrt(len(bad) / (len(bad) - 1) * ((value * (bad - share)) ** 2).sum())) / total
    low, high = bound_mean(share, error, len(bad) - 1)
    return [whole * end for end in (share, max(float(low), 0.0), min(float(high), 1.0))]


def _write_row(
    cells: TouchpointPanel,
    operation: str | None,
    kind: str,
    group: str | None,
    exposed: Exposed,
    likely: list[int],
    money: list[float | None],
) -> dict[str, Any]:
    return {
        "rank": 0,
        "touchpoint": cells.touchpoint.id,
        "operation": operation,
        "kind": kind,
        "group": group,
        "customers": exposed.customers,
        "value": exposed.value_cents / 100,
        "share": exposed.share,
        "low": exposed.low,
        "high": exposed.high,
        "n": exposed.of,
        "cells": exposed.cells,
        **dict(zip(_LIKELY, likely, strict=True)),
        **dict(zip(_LIKELY_VALUE, money, strict=True)),
    }


def _split(ask: Ask, questions: Questions, size: int) -> list[tuple[str | None, Flags | None]]:
    """Return each group's label and its customers; one nameless group of everybody without a split."""
    if ask.by is None:
        return [(None, None)]
    grouped = group_customers(questions, ask.by.removeprefix("group:"))
    codes = np.full(size, len(grouped.labels), np.int64)
    inside = grouped.codes[:size]
    codes[: len(inside)] = inside
    return [(label, codes == code) for code, label in enumerate(grouped.labels)]


def _warn(ask: Ask, rows: list[dict[str, Any]]) -> tuple[Words, ...]:
    found = []
    if ask.blueprint.money is None:
        found.append(
            Words(
                fr="Le blueprint ne dit pas où lire les montants (money) : le chiffre d'affaires exposé vaut 0.",
                en="The blueprint does not say where the money is (money): the revenue exposed reads 0.",
            )
        )
    if not rows:
        found.append(
            Words(
                fr="Aucun point de contact noté n'a de visites : aucune exposition à compter.",
                en="No scored touchpoint has visits: there is no exposure to count.",
            )
        )
    return tuple(found)


COLUMNS = (
    Column("rank", Words(fr="Rang", en="Rank"), "count"),
    Column("touchpoint", Words(fr="Point de contact", en="Touchpoint")),
    Column("operation", Words(fr="Opération", en="Operation")),
    Column("kind", Words(fr="Exposition", en="Exposure")),
    Column("customers", Words(fr="Clients", en="Customers"), "count"),
    Column("value", Words(fr="Chiffre d'affaires exposé", en="Revenue exposed"), "money"),
    Column("share", Words(fr="Part", en="Share"), "share"),
    Column("low", Words(fr="Bas", en="Low"), "share"),
    Column("high", Words(fr="Haut", en="High"), "share"),
    Column("n", Words(fr="Sur", en="Of"), "count"),
)

_DEFINITION = Words(
    fr="worst_days : clients ayant eu au moins un contact dans une cellule (site × période) où l'opération était, d'au "
    "moins un écart-type interne, moins bonne que d'ordinaire pour ce site et cette période ; part parmi les clients "
    "vus à ce point de contact (n). bad_experience : clients ayant donné au moins une note sous le seuil de "
    "satisfaction (NPS : détracteurs) parmi ceux qui ont répondu (n) ; « likely » étend cette part à tous les clients "
    "vus, et « likely_value » leur chiffre d'affaires, en supposant que ceux qui n'ont pas répondu leur ressemblent. "
    "Chiffre d'affaires : tout ce que ces clients ont apporté sur la période observée, en unités de la devise ; c'est "
    "ce qui est exposé, non ce qui est perdu.",
    en="worst_days: customers with at least one touch in a cell (site × period) where the operation was worse than its "
    "own site's and period's normal by one within-SD or more; share among customers seen at that touchpoint (n). "
    "bad_experience: customers with at least one score below the satisfaction threshold (NPS: detractors) among those "
    "who answered (n); “likely” extends that share to all customers seen, “likely_value” their share of revenue, "
    "taking the silent to be alike. Revenue: all that these customers brought over the window observed, in units of "
    "the currency; it is what is exposed, not what is lost.",
)
_METHOD = Words(
    fr="Comptes exacts. Part : intervalle de Wilson à 95 %, effectif efficace et t(G−1), par grappes de sites.",
    en="Exact counts. Share: 95 % Wilson interval, at the effective size and t(G−1) of clusters of sites.",
)

_OF_EXPOSED = ("value", "share", "low", "high", *_LIKELY, *_LIKELY_VALUE)
MEASURE = Measure(
    name="stakes",
    question=Words(
        fr="Combien de clients, et quel chiffre d'affaires, sont exposés ?",
        en="How many customers, and how much revenue, are exposed?",
    ),
    unit=Words(fr="clients et devise", en="customers and currency"),
    definition=_DEFINITION,
    method=_METHOD,
    source="Kish 1965, Survey Sampling; Franco, Little, Louis & Slud 2019, J. Survey Statistics and Methodology 7(3).",
    inputs=("touches", "answers", "operations", "customers"),
    columns=COLUMNS,
    splits=("group",),
    counted=(Counted("n"), Counted("customers", _OF_EXPOSED, within="n")),
    lattice=("group",),
    compute=compute,
)
