"""The journey: what became of those who entered each stage, and how people move between touchpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from parcours.charts.bars import StageBar, draw_stages
from parcours.charts.chart import Chart
from parcours.charts.labels import STATES
from parcours.charts.numbers import write_durations, write_interval, write_number
from parcours.charts.sankey import Move, draw_sankey
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import ask, rows_of, tell_warnings
from parcours.workspaces.wording import Say

MOST_TABLED = 200
MOST_DRAWN = 40
START, END = "(start)", "(end)"


class StageTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long until the next stage, with its interval."""

    label: str
    median: str
    interval: str


class JourneyPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the journey page shows."""

    frame: Frame
    lede: str
    stages: Chart | None
    times: tuple[StageTime, ...]
    moves: Chart | None
    undrawn: str
    warnings: tuple[str, ...]


def read_journey(company: Readable, language: Language) -> JourneyPage:
    """Read what the journey page shows."""
    say = Say(language)
    bars = read_bars(company, language)
    moves = read_moves(company)
    stage_at = {stage.id: place for place, stage in enumerate(company.blueprint.stages)}
    columns = {touchpoint.id: stage_at[touchpoint.stage] for touchpoint in company.blueprint.touchpoints}
    names = {id: words.in_language(language) for id, words in company.labels.items()}
    if moves and moves[0].source not in columns:
        columns = stage_at
    headings = [stage.label.in_language(language) for stage in company.blueprint.stages]
    title = say("journey.moves")
    names |= {place: STATES[place].in_language(language) for place in (START, END)}
    touches = count_touches(moves)
    drawn = draw_sankey(title, moves[:MOST_TABLED], names, columns, language, headings, MOST_DRAWN, touches)
    results = [ask(company, name) for name in ("journey", "transitions")]
    entered = write_number(bars[0].entered, language) if bars else ""
    return JourneyPage(
        frame=frame_page(company, language, "journey", say("journey.title")),
        lede=say("journey.says", entered=entered) if bars else say("journey.nothing"),
        stages=draw_stages(say("journey.stages"), bars, language) if bars else None,
        times=tuple(_write_time(bar, language) for bar in bars if bar.median_ms is not None),
        moves=drawn if moves else None,
        undrawn=say_undrawn(moves, columns, language) if drawn.svg else "",
        warnings=tell_warnings(results, language),
    )


def _write_time(bar: StageBar, language: Language) -> StageTime:
    median, low, high = write_durations((bar.median_ms, bar.low, bar.high), language)
    return StageTime(label=bar.label, median=median, interval=write_interval(low, high, language))


def count_touches(moves: Sequence[Move]) -> dict[str, int]:
    """Return the touches of each place: everything that came into it, from the start, from itself or from later."""
    found: Counter[str] = Counter()
    for move in moves:
        found[move.target] += move.count
    return dict(found)


def say_undrawn(moves: Sequence[Move], columns: Mapping[str, int], language: Language) -> str:
    """Say how many moves have no ribbon: within a stage, back to an earlier one, forward but rare."""
    known = [move for move in moves[:MOST_TABLED] if move.source in columns and move.target in columns]
    forward = sum(sorted((m.count for m in known if columns[m.source] < columns[m.target]), reverse=True)[:MOST_DRAWN])
    within = back = ahead = 0
    for move in moves:
        if move.source not in columns or move.target not in columns:
            continue
        step = columns[move.target] - columns[move.source]
        within += move.count * (step == 0)
        back += move.count * (step < 0)
        ahead += move.count * (step > 0)
    counts = {"within": within, "back": back, "rare": ahead - forward, "drawn": forward}
    return Say(language)("journey.undrawn", **{name: write_number(count, language) for name, count in counts.items()})


def read_bars(company: Readable, language: Language) -> list[StageBar]:
    """Return one bar a stage, in the order of the blueprint."""
    whole = ("entered", "moved_on", "left", "under_way")
    # A stage of which a role is not shown every part cannot be drawn as a bar.
    seen = [row for row in rows_of(company, "journey") if all(row[key] is not None for key in whole)]
    counted = {row["stage"]: row for row in seen}
    return [
        StageBar(
            label=stage.label.in_language(language),
            **{key: int(counted[stage.id][key]) for key in whole},
            median_ms=counted[stage.id].get("median_ms"),
            low=counted[stage.id].get("low"),
            high=counted[stage.id].get("high"),
        )
        for stage in company.blueprint.stages
        if stage.id in counted
    ]


def read_moves(company: Readable) -> list[Move]:
    """Return every move between two known places, the most frequent first."""
    rows = [row for row in rows_of(company, "transitions") if row.get("source") and row.get("target")]
    rows.sort(key=lambda row: -row["count"])
    return [
        Move(
            source=row["source"],
            target=row["target"],
            count=row["count"],
            share=row.get("share"),
            low=row.get("low"),
            high=row.get("high"),
        )
        for row in rows
    ]
