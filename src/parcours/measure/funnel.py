"""Funnel: how far customers get along the designed journey, in order, other touches being allowed between."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from parcours.blueprint import records
from parcours.engine.sql.step import Step
from parcours.measure.contract import Ask, Column, Counted, Measure, Result
from parcours.measure.intervals import Codes, bound_median, bound_share
from parcours.measure.questions import Columns, Questions
from parcours.measure.splits import SPLITS, group_customers
from parcours.measure.stays import find_ends, sort_touches
from parcours.words import Words

TOUCHES = Step(
    name="funnel_touches",
    text="select customer, step, touchpoint, occurred_ms from touches where touchpoint in $touchpoints",
    reads=("touches",),
    gives={"customer": "int", "step": "int", "touchpoint": "int", "occurred_ms": "int"},
    sample={"touchpoints": (0, 1, 2)},
)

FEWEST_LEVELS = 2
"""One level alone shows nothing of the way."""


class Level(NamedTuple):
    """One level of a funnel: its stage, in a funnel of stages, and the touchpoints of which any one reaches it."""

    stage: str | None
    touchpoints: tuple[str, ...]


def find_levels(step: records.Step) -> list[tuple[str, ...]]:
    """Return the main sequence of a designed journey: each level with the touchpoints that reach it.

    A choice is one level, reached at the end of any branch; a loop counts once; what is optional, or parallel and so
    without an order, has no place in it.
    """
    if step.touchpoint:
        return [(step.touchpoint,)]
    if step.loop:
        return find_levels(step.loop)
    if step.choice:
        branches = [find_levels(branch) for branch in step.choice]
        return [tuple(dict.fromkeys(one for branch in branches if branch for one in branch[-1]))]
    return [level for part in step.sequence for level in find_levels(part)]


def choose_levels(ask: Ask) -> list[Level]:
    """Return the designed journey's levels; the stages with touchpoints when asked, or when there are under two."""
    blueprint = ask.blueprint
    designed = find_levels(blueprint.journey) if blueprint.journey and ask.by != "stage" else []
    if len(designed) >= FEWEST_LEVELS:
        return [Level(None, level) for level in designed]
    stages = [(s.id, tuple(t.id for t in blueprint.touchpoints if t.stage == s.id)) for s in blueprint.stages]
    return [Level(stage, touchpoints) for stage, touchpoints in stages if touchpoints]


class Chains(NamedTuple):
    """The customers who started, and when each reached each level: (levels, customers), epoch ms, −1 for never."""

    customer: Codes
    reached_ms: Codes


def follow(touches: Columns, levels: list[Codes], window_ms: int | None) -> Chains:
    """Follow each customer from their first touch at the first level to the first later one at each next level.

    A touch reaches one level at most, so a touchpoint that comes twice needs two touches. A window counts from that
    first start, its end included.

    Args:
        touches: `TOUCHES`, sorted by `sort_touches`.
        levels: for each level, the codes of its touchpoints.
        window_ms: how long after the start a level may be reached; ``None`` for ever.
    """
    customers, times = touches["customer"], touches["occurred_ms"]
    width = int(touches["touchpoint"].max(initial=-1)) + 1
    ends = find_ends(customers)
    at = _find_touches(touches, levels[0], width)
    owner = customers[at]
    at = at[np.append(True, owner[1:] != owner[:-1])] if len(at) else at
    end = ends[np.searchsorted(ends, at, side="right")] if len(at) else at
    reached = np.full((len(levels), len(at)), -1, np.int64)
    reached[0] = times[at]
    latest = reached[0] + (np.iinfo(np.int64).max // 2 if window_ms is None else window_ms)
    chain = Chains(customers[at], reached)
    going = np.arange(len(at))
    for number, level in enumerate(levels[1:], start=1):
        there = np.append(_find_touches(touches, level, width), len(times))
        at = there[np.searchsorted(there, at, side="right")]
        going, at, end = _keep(at < end, going, at, end)
        going, at, end = _keep(times[at] <= latest[going], going, at, end)
        reached[number, going] = times[at]
    return chain


def _keep(chosen: Any, *columns: Codes) -> tuple[Codes, ...]:
    return tuple(column[chosen] for column in columns)


def _find_touches(touches: Columns, level: Codes, width: int) -> Codes:
    """Return the rows at one of the level's touchpoints."""
    wanted = np.zeros(width, bool)
    wanted[level[level < width]] = True
    return np.flatnonzero(wanted[touches["touchpoint"]])


def write_rows(levels: list[Level], reached_ms: Codes) -> list[dict[str, Any]]:
    """Return one row a level for the customers (columns) of ``reached_ms``."""
    started = reached_ms.shape[1]
    rows: list[dict[str, Any]] = []
    before = started
    for number, level in enumerate(levels):
        here = reached_ms[number] >= 0
        count = int(here.sum())
        row: dict[str, Any] = {} if level.stage is None else {"stage": level.stage}
        row |= {"level": number + 1, "touchpoints": list(level.touchpoints), "reached": count, "started": started}
        row |= _share("", count, started) | _share("step_", count, before if number else 0)
        if not number and started:
            row |= {"low": 1.0, "high": 1.0}  # by definition
        waited = np.sort((reached_ms[number] - reached_ms[max(number - 1, 0)])[here]).astype(np.float64)
        middle = bound_median(waited) if number else None
        names = ("median_ms", "median_low_ms", "median_high_ms")
        rows.append(row | dict(zip(names, map(round, middle) if middle else (None,) * 3, strict=True)))
        before = count
    return rows


def _share(prefix: str, count: int, total: int) -> dict[str, float | None]:
    names = (f"{prefix}share", f"{prefix}low", f"{prefix}high")
    if not total:
        return dict.fromkeys(names)
    low, high = bound_share(count / total, total)
    return dict(zip(names, (count / total, float(low), float(high)), strict=True))


def measure_funnel(ask: Ask) -> Result:
    """Answer how far customers get along the designed journey, within ``ask.window_ms`` when it is given."""
    MEASURE.check_split(ask.blueprint, ask.by)
    questions = Questions(ask.rows)
    levels = choose_levels(ask)
    place = {touchpoint.id: code for code, touchpoint in enumerate(ask.blueprint.touchpoints)}
    codes = [np.array([place[one] for one in level.touchpoints], np.int64) for level in levels]
    wanted = tuple(sorted({int(code) for level in codes for code in level}))
    chains = Chains(np.empty(0, np.int64), np.empty((len(levels), 0), np.int64))
    if levels:
        touches = sort_touches(questions.ask(TOUCHES, touchpoints=wanted))
        chains = follow(touches, codes, ask.window_ms)
    chains, under_way = _leave_out(chains, ask)
    parts: list[tuple[dict[str, Any], Codes]] = [({}, chains.reached_ms)]
    if ask.by and ask.by.startswith("group:"):
        groups = group_customers(questions, ask.by.removeprefix("group:"))
        of_chain = groups.codes[chains.customer]
        parts = [({"group": label}, chains.reached_ms[:, of_chain == i]) for i, label in enumerate(groups.labels)]
    started = len(chains.customer)
    split: tuple[Column, ...] = (SPLITS["group"],) if ask.by and ask.by.startswith("group:") else ()
    split += (SPLITS["stage"],) if levels and levels[0].stage else ()
    return MEASURE.answer(
        ask,
        [label | row for label, times in parts for row in write_rows(levels, times)],
        n=started,
        period=ask.rows.period if started else None,
        sql=questions.sql,
        warnings=warn(ask, levels, started, under_way),
        before=split,
    )


def _leave_out(chains: Chains, ask: Ask) -> tuple[Chains, int]:
    """Leave out those whose window is still open at the end of the data: they have not failed to convert yet."""
    if ask.window_ms is None or ask.rows.period is None:
        return chains, 0
    over = chains.reached_ms[0] + ask.window_ms <= ask.rows.period[1]
    return Chains(chains.customer[over], chains.reached_ms[:, over]), int((~over).sum())


def warn(ask: Ask, levels: list[Level], started: int, under_way: int) -> tuple[Words, ...]:
    """Say what the funnel stands on: nobody, an open window, stages for want of a designed journey."""
    found = []
    if not started:
        found.append(NOBODY)
    if under_way:
        found.append(
            Words(
                fr=f"Clients encore en chemin, leur fenêtre n'étant pas close, et donc non comptés : {under_way}.",
                en=f"Customers still under way, their window being open, and so not counted: {under_way}.",
            )
        )
    elif started and ask.window_ms is None:
        found.append(SO_FAR)
    if levels and levels[0].stage and ask.by != "stage":
        found.append(NO_JOURNEY)
    return tuple(found)


NOBODY = Words(
    fr="Aucun client n'a atteint le premier niveau : il n'y a rien à suivre.",
    en="No customer has reached the first level: there is nothing to follow.",
)
SO_FAR = Words(
    fr="Sans fenêtre, les parts sont celles atteintes à ce jour : les clients récents peuvent encore avancer.",
    en="Without a window the shares are those reached so far: recent customers may still move on.",
)
NO_JOURNEY = Words(
    fr="Le blueprint ne décrit pas de parcours d'au moins deux niveaux obligatoires : les étapes en tiennent lieu.",
    en="The blueprint has no designed journey of at least two compulsory levels: the stages stand in for it.",
)
DEFINITION = Words(
    fr="Niveaux de la séquence principale du parcours conçu (ou étapes), dans l'ordre ; d'autres contacts sont "
    "permis entre eux. Chaque client compte une fois, à partir de son premier contact au premier niveau ; chaque "
    "niveau est atteint au premier contact ultérieur. Fenêtre : comptée depuis ce contact, borne comprise. Un choix "
    "forme un niveau ; ce qui est facultatif ou parallèle n'en forme pas. n compte ceux qui ont commencé.",
    en="Levels of the designed journey's main sequence (or stages), in order; other touches are allowed between. "
    "Each customer counts once, from their first start; each level is reached at the first later touch. Window: "
    "counted from that first start, its end included. A choice is one level; what is optional or parallel is "
    "none. n counts customers who started.",
)
METHOD = Words(
    fr="Part des clients, intervalle de Wilson à 95 % (clients indépendants). Temps : médiane depuis le niveau "
    "précédent chez ceux qui l'ont franchi, bornée par les statistiques d'ordre.",
    en="Share of customers, Wilson's 95 % interval (customers independent). Time: median since the level before among "
    "those who passed it, bounded by order statistics.",
)
MEASURE = Measure(
    name="funnel",
    question=Words(
        fr="Jusqu'où les clients vont-ils le long du parcours conçu ?",
        en="How far do customers get along the designed journey?",
    ),
    unit=Words(fr="clients", en="customers"),
    definition=DEFINITION,
    method=METHOD,
    source="Wilson 1927; David & Nagaraja 2003.",
    inputs=("touches", "customers"),
    columns=(
        Column("level", Words(fr="Niveau", en="Level"), "count"),
        Column("touchpoints", Words(fr="Points de contact", en="Touchpoints")),
        Column("reached", Words(fr="Clients", en="Customers"), "count"),
        Column("started", Words(fr="Ont commencé", en="Started"), "count"),
        Column("share", Words(fr="Part de ceux qui ont commencé", en="Share of started"), "share"),
        Column("low", Words(fr="Bas", en="Low"), "share"),
        Column("high", Words(fr="Haut", en="High"), "share"),
        Column("step_share", Words(fr="Part du niveau précédent", en="Share of level before"), "share"),
        Column("step_low", Words(fr="Niveau, bas", en="Level, low"), "share"),
        Column("step_high", Words(fr="Niveau, haut", en="Level, high"), "share"),
        Column("median_ms", Words(fr="Temps médian", en="Median time"), "milliseconds"),
        Column("median_low_ms", Words(fr="Temps, bas", en="Time, low"), "milliseconds"),
        Column("median_high_ms", Words(fr="Temps, haut", en="Time, high"), "milliseconds"),
    ),
    splits=("stage", "group"),
    counted=(Counted("reached"),),
    nested=("step_share", "step_low", "step_high", "median_ms", "median_low_ms", "median_high_ms"),
    compute=measure_funnel,
)
