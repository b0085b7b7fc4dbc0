"""Every part of the pages in one place, on example values that describe nobody."""

from __future__ import annotations

import msgspec

from parcours.charts.bars import Bin, StageBar, draw_distribution, draw_stages
from parcours.charts.blueprint import CauseEdge, OperationBox, StageColumn, TouchCard, draw_blueprint
from parcours.charts.causes import CauseRow, draw_causes
from parcours.charts.chart import Chart
from parcours.charts.labels import GRADES
from parcours.charts.numbers import write_interval, write_money, write_number
from parcours.charts.sankey import Move, draw_sankey
from parcours.charts.scale import LEVELS
from parcours.charts.trend import TrendPoint, draw_trend
from parcours.charts.volumes import draw_volumes
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import Cause
from parcours.workspaces.wording import Say

WEEK_MS = 7 * 86_400_000
MONDAY_MS = 1_767_571_200_000  # 5 January 2026, any Monday would do


class PatternsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the pattern library shows: each part's heading and drawing."""

    frame: Frame
    levels: tuple[tuple[int, str], ...]
    drawings: tuple[tuple[str, Chart], ...]
    finding: Cause


def read_patterns(company: Readable, language: Language) -> PatternsPage:
    """Draw every part."""
    say = Say(language)
    return PatternsPage(
        frame=frame_page(company, language, "patterns", say("patterns.title")),
        levels=tuple((number, level.in_language(language)) for number, level in enumerate(LEVELS, start=1)),
        drawings=(
            (say("patterns.map"), _draw_map(say, language)),
            (say("patterns.causes"), _draw_causes(say, language)),
            (say("patterns.trend"), _draw_trend(say, language)),
            (say("patterns.stages"), _draw_stages(say, language)),
            (say("patterns.distribution"), _draw_distribution(say, language)),
            (say("patterns.moves"), _draw_moves(say, language)),
            (say("patterns.volumes"), _draw_volumes(say, language)),
        ),
        finding=_make_finding(say, language),
    )


def _draw_map(say: Say, language: Language) -> Chart:
    stages = [StageColumn(say("patterns.stage", letter=letter)) for letter in "ABCDE"]
    cards = [
        TouchCard(
            id=letter,
            label=say("patterns.touchpoint", letter=letter),
            stage=place,
            human=place % 2 == 0,
            channel=say("touchpoint.human" if place % 2 == 0 else "touchpoint.digital"),
            href="#map",
            metric="csat",
            score=0.55 + 0.1 * place,
            low=0.50 + 0.1 * place,
            high=min(0.60 + 0.1 * place, 1.0),
            n=120,
            promise="kept" if place else "broken",
        )
        for place, letter in enumerate("ABCDE")
    ]
    cards.append(msgspec.structs.replace(cards[0], id="F", label=say("patterns.touchpoint", letter="F"), score=None))
    boxes = [
        OperationBox(
            id=letter,
            label=say("patterns.operation", letter=letter),
            owner=say("patterns.team", letter=letter),
            support=letter == "C",
        )
        for letter in "ABC"
    ]
    edges = [
        CauseEdge(operation="A", touchpoint="A", weight=1, rank=1),
        CauseEdge(operation="B", touchpoint="E", weight=0.4, rank=2),
        CauseEdge(operation="C", touchpoint="C"),
    ]
    return draw_blueprint(say("patterns.map"), stages, cards, boxes, edges, language)


def _draw_causes(say: Say, language: Language) -> Chart:
    bounds = (("A", -0.4, -0.3, -0.5), ("B", -0.1, 0.05, -0.25), ("C", 0.2, 0.28, 0.12))
    rows = [
        CauseRow(
            label=say("patterns.operation", letter=letter),
            owner=say("patterns.team", letter=letter),
            effect=effect,
            low=min(ends),
            high=max(ends),
            n=300,
        )
        for letter, effect, *ends in bounds
    ]
    return draw_causes(say("patterns.causes"), say("touchpoint.causes_unit"), rows, language, 2)


def _draw_trend(say: Say, language: Language) -> Chart:
    scores = (0.72, 0.70, 0.74, 0.71, 0.66, 0.61, 0.63, 0.68)
    points = [
        TrendPoint(start_ms=MONDAY_MS + place * WEEK_MS, score=score, low=score - 0.04, high=score + 0.04, n=90)
        for place, score in enumerate(scores)
    ]
    return draw_trend(say("patterns.trend"), "csat", points, language, promise=0.75)


def _draw_stages(say: Say, language: Language) -> Chart:
    bars = [
        StageBar(
            label=say("patterns.stage", letter=letter),
            entered=entered,
            moved_on=entered * 6 // 10,
            left=entered // 10,
            under_way=entered - entered * 6 // 10 - entered // 10,
            median_ms=2.5 * 86_400_000,
            low=2.0 * 86_400_000,
            high=3.1 * 86_400_000,
        )
        for letter, entered in (("A", 1000), ("B", 600), ("C", 360))
    ]
    return draw_stages(say("patterns.stages"), bars, language)


def _draw_distribution(say: Say, language: Language) -> Chart:
    counts = (40, 55, 90, 160, 120)
    bins = [Bin(str(place), count, place) for place, count in enumerate(counts, start=1)]
    return draw_distribution(say("patterns.distribution"), bins, language)


def _draw_moves(say: Say, language: Language) -> Chart:
    columns = {"A": 0, "B": 0, "C": 1, "D": 1, "E": 2}
    names = {letter: say("patterns.touchpoint", letter=letter) for letter in columns}
    counted = (("A", "C", 60), ("A", "D", 30), ("B", "D", 40), ("C", "E", 45), ("D", "E", 50))
    left = {"A": 90, "B": 40, "C": 60, "D": 70}
    moves = [Move(source=a, target=b, count=count, share=count / left[a]) for a, b, count in counted]
    return draw_sankey(say("patterns.moves"), moves, names, columns, language)


def _draw_volumes(say: Say, language: Language) -> Chart:
    hours = [max(0, 40 - 7 * abs(hour % 24 - 13)) + 3 * (hour // 24) for hour in range(7 * 24)]
    before = [count * 9 // 10 for count in hours]
    return draw_volumes(say("patterns.volumes"), hours, before, MONDAY_MS // 3_600_000 - 1, language)


def _make_finding(say: Say, language: Language) -> Cause:
    return Cause(
        rank=1,
        operation=say("patterns.operation", letter="A"),
        touchpoint=say("patterns.touchpoint", letter="A"),
        href="#map",
        clear=True,
        hurts=True,
        effect=say("cause.points", effect=write_number(-0.4, language, 2, signed=True)),
        interval=write_interval(
            write_number(-0.5, language, 2, signed=True), write_number(-0.3, language, 2, signed=True), language
        ),
        natural="",
        customers=write_number(1200, language),
        value=write_money(84_000, language),
        owner=say("patterns.team", letter="A"),
        grade=GRADES["observed"].in_language(language),
        grade_says=say("grade.observed_says"),
        robustness="",
        settle="",
        n=write_number(300, language),
    )
