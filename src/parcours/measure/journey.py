"""Journey: who moves on from each stage and how fast, who left, and who is still under way."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.intervals import Codes
from parcours.measure.questions import Questions
from parcours.measure.splits import SPLITS, Labelled, group_customers
from parcours.measure.stays import TOUCHES, Stays, find_ends, find_stays, sort_touches
from parcours.measure.survival import (
    NOTHING,
    Estimate,
    estimate_incidence,
    estimate_survival,
    find_incidence_by,
    find_median,
)
from parcours.words import LANGUAGES, Words

MOVED, LEFT = 1, 2


class Fates(NamedTuple):
    """What had become of each stay by the end of the data; masks of one length."""

    moved: NDArray[np.bool_]
    left: NDArray[np.bool_]
    late: NDArray[np.bool_]


def judge(stays: Stays, deadline_ms: int | None, end_ms: int) -> Fates:
    """Say who moved on, who left, and who moved on only after the deadline had passed (``late``).

    A deadline has passed when more than ``deadline_ms`` lie between the last touch in the stage and the move, or the
    end of the data. Without a deadline nobody has left.
    """
    moved = stays.moved_ms >= 0
    if deadline_ms is None:
        nobody = np.zeros(len(moved), bool)
        return Fates(moved, nobody, nobody)
    passed = np.where(moved, stays.moved_ms, end_ms) - stays.last_ms > deadline_ms
    return Fates(moved, passed & ~moved, passed & moved)


class Timing(NamedTuple):
    """How long until people move on: the median, the share within the deadline, the share who leave first."""

    median: Estimate
    within: Estimate
    leaving: Estimate


def time_stays(stays: Stays, fates: Fates, deadline_ms: int | None, end_ms: int) -> Timing:
    """Estimate the times of one row, those under way being followed to the end of the data only."""
    waited = (np.where(fates.moved, stays.moved_ms, end_ms) - stays.entered_ms).astype(np.float64)
    curve = estimate_survival(waited, fates.moved)
    median = find_median(curve)
    if deadline_ms is None:
        return Timing(median, NOTHING, NOTHING)
    lost = fates.left | fates.late
    until = np.where(lost, stays.last_ms + deadline_ms - stays.entered_ms, waited)
    causes = np.where(lost, LEFT, np.where(fates.moved, MOVED, 0))
    within = find_incidence_by(curve, float(deadline_ms), waited)
    return Timing(median, within, estimate_incidence(until, causes, LEFT))


def _pick(stays: Stays, chosen: NDArray[np.bool_]) -> Stays:
    return Stays(*(column[chosen] for column in stays))


def _part(ask: Ask, questions: Questions) -> Labelled | None:
    """Return the customers' groups when the split needs them."""
    if ask.by and ask.by.startswith("group:"):
        return group_customers(questions, ask.by.removeprefix("group:"))
    return None


def _label(ask: Ask, stays: Stays, groups: Labelled | None) -> tuple[Codes, list[Any]]:
    if groups is not None:
        return groups.codes[stays.customer], list(groups.labels)
    if ask.by == "channel":
        return stays.channel, [channel.id for channel in ask.blueprint.channels]
    return np.zeros(len(stays.customer), np.int64), [None]


def write_row(stays: Stays, deadline_ms: int | None, end_ms: int, last: bool) -> dict[str, Any]:
    """Return the counts and times of one row; in the ``last`` stage there is nowhere to move on to, nor to miss."""
    entered = len(stays.customer)
    fates = judge(stays, None if last else deadline_ms, end_ms)
    moved, left = int(fates.moved.sum()), int(fates.left.sum())
    timing = Timing(NOTHING, NOTHING, NOTHING)
    if entered and not last:
        timing = time_stays(stays, fates, deadline_ms, end_ms)
    row: dict[str, Any] = {"entered": entered, "moved_on": moved, "left": left, "under_way": entered - moved - left}
    row |= {"median_ms": _whole(timing.median.value), "low": _whole(timing.median.low)}
    row |= {"high": _whole(timing.median.high), "late": int(fates.late.sum()), "deadline_ms": deadline_ms}
    row |= {"within_share": timing.within.value, "within_low": timing.within.low, "within_high": timing.within.high}
    row |= {"left_share": timing.leaving.value, "left_low": timing.leaving.low, "left_high": timing.leaving.high}
    row["state"] = "measured"
    if timing.median.value is None:
        row["state"] = "nobody" if not entered else "last_stage" if last else "median_not_reached"
    return row


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def measure_journey(ask: Ask) -> Result:
    """Answer who moves on from each stage, how fast, who left and who is still under way."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    touches = sort_touches(questions.ask(TOUCHES))
    groups = _part(ask, questions)
    times = touches["occurred_ms"]
    ends = find_ends(touches["customer"]) if len(times) else np.zeros(1, np.int64)
    end_ms = int(times.max(initial=0))
    places = [[stage.id for stage in ask.blueprint.stages].index(one.stage) for one in ask.blueprint.touchpoints]
    name = None if ask.by is None else ask.by.split(":")[0]
    rows = []
    for index, stage in enumerate(ask.blueprint.stages):
        stays = find_stays(touches, index, ends)
        codes, labels = _label(ask, stays, groups)
        for code, label in enumerate(labels):
            chosen = _pick(stays, codes == code)
            if name and not len(chosen.customer):
                continue
            row = write_row(chosen, stage.deadline_ms, end_ms, index >= max(places, default=0))
            rows.append(({} if name is None else {name: label}) | {"stage": stage.id} | row)
    return MEASURE.answer(
        ask,
        rows,
        n=len(ends) if len(times) else 0,
        period=(int(times.min()), end_ms) if len(times) else None,
        sql=questions.sql,
        warnings=warn(ask, rows),
        before=() if name is None else (SPLITS[name],),
    )


def warn(ask: Ask, rows: list[dict[str, Any]]) -> tuple[Words, ...]:
    """Say where a number is missing, and why."""
    if not any(row["entered"] for row in rows):
        return (NO_TOUCHES,)
    label = {stage.id: stage.label for stage in ask.blueprint.stages}
    found = []
    short = list(dict.fromkeys(row["stage"] for row in rows if row["state"] == "median_not_reached"))
    open_ended = [row["stage"] for row in rows if row["deadline_ms"] is None and row["state"] != "last_stage"]
    for stages, french, english in (
        (short, "Moins de la moitié sont passés à la suite : la médiane n'est pas atteinte pour {}.",
         "Fewer than half have moved on: the median is not reached for {}."),
        (list(dict.fromkeys(open_ended)), "Étapes sans délai, où personne n'est compté comme arrêté : {}.",
         "Stages without a deadline, where nobody is counted as having stopped: {}."),
    ):  # fmt: skip
        if stages:
            names = {language: ", ".join(label[one].in_language(language) for one in stages) for language in LANGUAGES}
            found.append(Words(fr=french.format(names["fr"]), en=english.format(names["en"])))
    return tuple(found)


NO_TOUCHES = Words(
    fr="Aucun contact n'est connu : déclarez dans `sources/` un fichier dont les événements sont ceux des points de "
    "contact du blueprint.",
    en="No touch is known: declare in `sources/` a file whose events are those of the blueprint's touchpoints.",
)
DEFINITION = Words(
    fr="Clients entrés dans chaque étape ; celui qui y revient compte à sa première entrée (n : clients ayant au moins "
    "un contact). Les étapes sont ordonnées de sorte qu'avancer soit une bonne chose. Passé à la suite : un contact "
    "ultérieur dans une étape plus avancée. Arrêté là (left) : aucun, alors que le délai de l'étape est dépassé depuis "
    "le dernier contact dans l'étape. En chemin : ni l'un ni l'autre à la fin des données ; jamais compté comme perdu. "
    "Entrés = passés + arrêtés + en chemin. Tardif : passé à la suite après le délai. La "
    "dernière étape n'a pas de suite : tous y sont en chemin. low et high encadrent la médiane du temps entre "
    "l'entrée et la suite.",
    en="Customers who entered each stage; whoever comes back counts by the first entry (n: customers with at least one "
    "touch). Stages are ordered so that moving on is good. Moved on: a later touch in a later stage. Stopped here "
    "(left): none, and the stage's deadline has passed since their last touch in it. Under way: neither by the end of "
    "the data; never counted as lost. Entered = moved on + stopped + under way. "
    "Late: moved on after the deadline. The last stage has no next: everybody there is under way. low and high "
    "bound the median time from entry to moving on.",
)
METHOD = Words(
    fr="Kaplan–Meier sur les temps exacts, sans regroupement, observation arrêtée au dernier contact connu ; médiane "
    "selon Brookmeyer–Crowley, part dans le délai selon Greenwood, tous deux log(−log), à 95 %. Part qui s'arrête "
    "avant de passer à la suite : Aalen–Johansen, s'arrêter et passer étant concurrents.",
    en="Kaplan–Meier on exact times, never binned, observed until the last known touch; median by Brookmeyer–Crowley, "
    "share within the deadline by Greenwood, both log(−log), 95 %. Share who stop before moving on: Aalen–Johansen, "
    "stopping and moving on competing.",
)
MEASURE = Measure(
    name="journey",
    question=Words(
        fr="À quelle étape les clients avancent, s'arrêtent ou sont encore en chemin, et en combien de temps ?",
        en="At which stage do customers move on, stop or are still under way, and how long does it take?",
    ),
    unit=Words(fr="clients, millisecondes", en="customers, milliseconds"),
    definition=DEFINITION,
    method=METHOD,
    source="Kaplan & Meier 1958; Brookmeyer & Crowley 1982; Aalen & Johansen 1978.",
    inputs=("touches", "customers"),
    columns=(
        Column("stage", Words(fr="Étape", en="Stage")),
        Column("entered", Words(fr="Entrés", en="Entered"), "count"),
        Column("moved_on", Words(fr="Passés à la suite", en="Moved on"), "count"),
        Column("left", Words(fr="Arrêtés là", en="Stopped here"), "count"),
        Column("under_way", Words(fr="En chemin", en="Under way"), "count"),
        Column("median_ms", Words(fr="Temps médian", en="Median time"), "milliseconds"),
        Column("low", Words(fr="Bas", en="Low"), "milliseconds"),
        Column("high", Words(fr="Haut", en="High"), "milliseconds"),
        Column("late", Words(fr="Tardifs", en="Late"), "count"),
        Column("deadline_ms", Words(fr="Délai", en="Deadline"), "milliseconds"),
        Column("within_share", Words(fr="Passés dans le délai", en="Moved on within it"), "share"),
        Column("within_low", Words(fr="Dans le délai, bas", en="Within it, low"), "share"),
        Column("within_high", Words(fr="Dans le délai, haut", en="Within it, high"), "share"),
        Column("left_share", Words(fr="S'arrêtent d'abord", en="Stop first"), "share"),
        Column("left_low", Words(fr="S'arrêtent, bas", en="Stop, low"), "share"),
        Column("left_high", Words(fr="S'arrêtent, haut", en="Stop, high"), "share"),
        Column("state", Words(fr="État", en="State")),
    ),
    splits=("channel", "group"),
    counted=(
        Counted("entered"),
        Counted("moved_on", within="entered", among="outcome"),
        Counted("left", ("left_share", "left_low", "left_high"), within="entered", among="outcome"),
        Counted("under_way", within="entered", among="outcome"),
        Counted("late", ("within_share", "within_low", "within_high"), within="moved_on"),
    ),
    lattice=("channel", "group"),
    compute=measure_journey,
)
