"""Transitions: from which touchpoint customers go to which, how often, and how long it takes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from parcours.blueprint.records import Blueprint
from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.intervals import Codes
from parcours.measure.passages import (
    BUNDLES,
    END,
    GAPS,
    LAST_TOUCHES,
    START,
    TRANSITION_CUSTOMERS,
    TRANSITIONS,
    TRANSITIONS_BY_SESSION,
    TRANSITIONS_BY_STEP,
    find_median_gaps,
    share_out,
)
from parcours.measure.questions import Columns, Questions
from parcours.words import Words

IDLE_MS = 1_800_000
"""A longer gap begins another session; exactly this long does not."""
STEPS = 10
NAMES = {START: "(start)", END: "(end)"}
WIDTH = 1 << 20


class Passages(NamedTuple):
    """Counted passages as arrays of one length; ``source`` may be `START`, ``target`` may be `END`.

    ``step`` is the target's place in the journey where passages are counted step by step, else 0.
    """

    bundle: Codes
    step: Codes
    source: Codes
    target: Codes
    number: Codes


def _read(ask: Ask, questions: Questions) -> Passages:
    """Count passages as the split asks, starts included, ends not yet."""
    if ask.by == "step":
        got = questions.ask(TRANSITIONS_BY_STEP, bundles=BUNDLES, steps=STEPS)
        return Passages(got["bundle"], got["step"], got["source"], got["target"], got["passages"])
    if ask.by is None:
        got = questions.ask(TRANSITIONS, bundles=BUNDLES)
        return Passages(got["bundle"], got["source"] * 0, got["source"], got["target"], got["passages"])
    got = questions.ask(TRANSITIONS_BY_SESSION, bundles=BUNDLES, idle_ms=IDLE_MS)
    broke = got["broke"] == 1
    source = np.where(broke, START, got["source"])
    begun = Passages(got["bundle"], source * 0, source, got["target"], got["passages"])
    ended = Passages(*(column[broke] for column in begun))
    return _join(begun, ended._replace(source=got["source"][broke], target=np.full(int(broke.sum()), END)))


def _join(first: Passages, second: Passages) -> Passages:
    return Passages(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))


def find_ended(last: Columns, blueprint: Blueprint, by: str | None) -> Passages:
    """Return the ends: last touches after which more than the stage's deadline (a session: 30 minutes) has passed.

    Without a deadline a journey is never known to have ended; it stays under way, and out of the ends.
    """
    end_ms = int(last["occurred_ms"].max(initial=0))
    never = np.iinfo(np.int64).max
    deadlines = [never if stage.deadline_ms is None else stage.deadline_ms for stage in blueprint.stages]
    patience = np.array(deadlines, np.int64)[last["stage"]] if by != "session" else np.int64(IDLE_MS)
    ended = end_ms - last["occurred_ms"] > patience
    if by == "step":
        ended &= last["step"] < STEPS
    step = last["step"][ended] + 1 if by == "step" else np.zeros(int(ended.sum()), np.int64)
    one = np.ones(len(step), np.int64)
    return Passages(last["bundle"][ended], step, last["touchpoint"][ended], one * END, one)


def _find_gaps(ask: Ask, questions: Questions) -> dict[tuple[int, int], dict[str, int]]:
    """Return the median gap of each pair with its bounds; none step by step, where they would say little."""
    if ask.by == "step":
        return {}
    width = max(len(ask.blueprint.touchpoints), 1)
    idle_ms = IDLE_MS if ask.by == "session" else np.iinfo(np.int64).max
    medians = find_median_gaps(questions.ask(GAPS, bundles=BUNDLES, touchpoints=width, idle_ms=int(idle_ms)))
    names = ("gap_ms", "gap_low_ms", "gap_high_ms")
    found = zip(medians.pair.tolist(), *(ends.tolist() for ends in medians[1:]), strict=True)
    return {divmod(pair, width): dict(zip(names, ends, strict=True)) for pair, *ends in found}


def _find_customers(ask: Ask, questions: Questions) -> dict[tuple[int, int], int]:
    """Return how many customers went each way; by session or step nobody is told."""
    if ask.by is not None:
        return {}
    got = questions.ask(TRANSITION_CUSTOMERS)
    columns = (got["source"].tolist(), got["target"].tolist(), got["customers"].tolist())
    return {(source, target): customers for source, target, customers in zip(*columns, strict=True)}


def write_rows(
    ask: Ask,
    passages: Passages,
    gaps: dict[tuple[int, int], dict[str, int]],
    customers: dict[tuple[int, int], int],
) -> list[dict[str, Any]]:
    """Return one row a (source, target), those from the start first, then in the order of the blueprint."""
    touchpoints = [touchpoint.id for touchpoint in ask.blueprint.touchpoints]
    # The place that is left is a touchpoint at a step; its target is at the next.
    shares = share_out(passages.bundle, passages.step * WIDTH + passages.source - END, passages.target, passages.number)
    nothing = {"gap_ms": None, "gap_low_ms": None, "gap_high_ms": None}
    rows = []
    for place, target, number, outgoing, *figures in zip(*(column.tolist() for column in shares), strict=True):
        step, source = place // WIDTH, place % WIDTH + END
        row: dict[str, Any] = {"step": step} if ask.by == "step" else {}
        row |= {"source": NAMES.get(source) or touchpoints[source], "target": NAMES.get(target) or touchpoints[target]}
        row |= {"count": number} | dict(zip(("share", "low", "high"), figures, strict=True)) | {"outgoing": outgoing}
        # A journey ends once: as many customers as passages.
        row["customers"] = number if target == END and ask.by is None else customers.get((source, target))
        rows.append(row | gaps.get((source, target), nothing))
    return rows


def measure_transitions(ask: Ask) -> Result:
    """Answer from which touchpoint customers go to which, and how often."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    begun = _read(ask, questions)
    last = questions.ask(LAST_TOUCHES, bundles=BUNDLES)
    ended = find_ended(last, ask.blueprint, ask.by)
    rows = write_rows(ask, _join(begun, ended), _find_gaps(ask, questions), _find_customers(ask, questions))
    known = len(last["step"])
    warnings = [NO_TOUCHES] if not known else []
    if known and not len(ended.step):
        warnings.append(NO_ENDS)
    return MEASURE.answer(
        ask,
        rows,
        n=int(begun.number[begun.target != END].sum()),
        period=ask.rows.period if known else None,
        sql=questions.sql,
        warnings=warnings,
        before=(STEP,) if ask.by == "step" else (),
    )


NO_TOUCHES = Words(
    fr="Aucun contact n'est connu : il n'y a aucun passage à compter.",
    en="No touch is known, so there is no passage to count.",
)
NO_ENDS = Words(
    fr="Aucun parcours n'est connu comme terminé : donnez un délai aux étapes du blueprint pour voir où ils "
    "s'achèvent.",
    en="No journey is known to have ended: give the blueprint's stages a deadline to see where they end.",
)
STEP = Column("step", Words(fr="Pas", en="Step"), "count")
DEFINITION = Words(
    fr="Contacts successifs d'un même client (temps, puis numéro d'événement) ; un retour au même point compte. "
    "(start) précède le premier contact. (end) suit le dernier, si le délai de son étape est dépassé à la fin des "
    "données ; les parcours encore en chemin n'ont pas de fin et ne comptent pas parmi les départs. Part : "
    "passages vers la cible, divisés par tous ceux qui quittent la source. Par session : un écart de plus de 30 "
    f"minutes en commence une autre. Par pas : les {STEPS} premiers contacts, le pas étant celui de la cible. n "
    "compte les contacts.",
    en="Consecutive touches of one customer (time, then event number); going back to the same touchpoint counts. "
    "(start) comes before the first touch. (end) comes after the last, once its stage's deadline has passed by the end "
    "of the data; journeys still under way have no end and are not among what leaves. Share: passages to the target, "
    "over all that leave the source. By session: a gap of more than 30 minutes begins another. "
    f"By step: the first {STEPS} touches, the step being the target's. n counts touches.",
)
METHOD = Words(
    fr=f"Intervalles à 95 % par grappes de clients : rapport de sommes linéarisé sur {BUNDLES} paquets de clients "
    "(au-delà de ce nombre de clients), Wilson à effectif efficace, t. Écart médian exact, intervalle de Woodruff.",
    en=f"95 % intervals clustered by customer: linearised ratio of sums over {BUNDLES} bundles of customers (each "
    "customer alone up to that many), Wilson at the effective number, t. Exact median gap, Woodruff's interval.",
)
MEASURE = Measure(
    name="transitions",
    question=Words(
        fr="De quel point de contact les clients passent-ils à quel autre, et combien de fois ?",
        en="From which touchpoint do customers go to which, and how often?",
    ),
    unit=Words(fr="passages", en="passages"),
    definition=DEFINITION,
    method=METHOD,
    source="Wolter 2007; Woodruff 1952.",
    inputs=("touches",),
    columns=(
        Column("source", Words(fr="De", en="From")),
        Column("target", Words(fr="Vers", en="To")),
        Column("count", Words(fr="Passages", en="Passages"), "count"),
        Column("share", Words(fr="Part", en="Share"), "share"),
        Column("low", Words(fr="Bas", en="Low"), "share"),
        Column("high", Words(fr="Haut", en="High"), "share"),
        Column("outgoing", Words(fr="Départs", en="Outgoing"), "count"),
        Column("gap_ms", Words(fr="Écart médian", en="Median gap"), "milliseconds"),
        Column("gap_low_ms", Words(fr="Écart, bas", en="Gap, low"), "milliseconds"),
        Column("gap_high_ms", Words(fr="Écart, haut", en="Gap, high"), "milliseconds"),
    ),
    splits=("session", "step"),
    counted=(Counted("customers"),),
    compute=measure_transitions,
)
