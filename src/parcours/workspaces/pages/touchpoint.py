"""One touchpoint: what customers report, whether the promise is kept, and what lies across the line of visibility."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from parcours.blueprint.records import Blueprint, Touchpoint
from parcours.charts.bars import Bin, draw_distribution
from parcours.charts.causes import draw_causes
from parcours.charts.chart import Chart
from parcours.charts.labels import METRICS, STATES
from parcours.charts.numbers import write_date, write_number, write_share
from parcours.charts.scale import LEVELS, level_of, write_score, write_score_interval
from parcours.charts.trend import TrendPoint, draw_trend
from parcours.words import Language, Words
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.masks import say_masks
from parcours.workspaces.missing import MissingError
from parcours.workspaces.promise import Kept, say_promise
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import (
    Cause,
    Row,
    ask,
    draw_rows,
    experience_by_touchpoint,
    in_words,
    name_of,
    promises_by_touchpoint,
    rows_of,
    say_cause,
)
from parcours.workspaces.stakes import Stakes, find_stakes
from parcours.workspaces.wording import Say

MOST_COMMENTS = 8


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The reported experience, written; ``level`` is 0 and ``score`` empty where there is no number."""

    level: int
    level_says: str = ""
    metric: str = ""
    score: str = ""
    interval: str = ""
    n: str = ""
    response_rate: str = ""
    shrunken: str = ""
    detectable: str = ""
    why_not: str = ""
    why_not_says: str = ""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment as it is shown."""

    text: str
    score: str
    day: str


class TouchpointPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a touchpoint's page shows."""

    frame: Frame
    label: str
    stage: str
    channel: str
    human: bool
    owner: str
    reading: Reading
    promise: Kept | None
    stakes: Stakes | None
    trend: Chart | None
    distribution: Chart | None
    effects: Chart | None
    causes: tuple[Cause, ...]
    gaps: tuple[tuple[str, str], ...]
    behind: tuple[tuple[str, str], ...]
    comments: tuple[Comment, ...]
    warnings: tuple[str, ...]


def read_touchpoint(company: Readable, language: Language, id: str, comments: bool = True) -> TouchpointPage:
    """Read what the page of touchpoint ``id`` shows; without ``comments`` nobody's words are read.

    Raises `MissingError` when the blueprint has none of that name.
    """
    try:
        touchpoint = company.blueprint.touchpoint(id)
    except KeyError:
        raise MissingError("error.no_touchpoint", id=id) from None
    row = experience_by_touchpoint(company).get(id, {})
    channel = next(channel for channel in company.blueprint.channels if channel.id == touchpoint.channel)
    label = touchpoint.label.in_language(language)
    own = [row for row in rows_of(company, "causes") if row["touchpoint"] == id]
    estimated = [row for row in own if row.get("effect") is not None]
    causes = ask(company, "causes")
    return TouchpointPage(
        frame=frame_page(company, language, f"touchpoint/{id}", label),
        label=label,
        stage=name_of(company, "stage", touchpoint.stage, language),
        channel=channel.label.in_language(language),
        human=channel.kind == "human",
        owner=name_of(company, "owner", touchpoint.owner, language),
        reading=write_reading(touchpoint, row, language),
        promise=say_promise(company, touchpoint, promises_by_touchpoint(company).get(id, {}), language),
        stakes=find_stakes(company, id, language),
        trend=_draw_trend(company, touchpoint, language),
        distribution=_draw_distribution(touchpoint, row, language),
        effects=_draw_effects(company, label, estimated, language),
        causes=tuple(say_cause(company, row, rank, language) for rank, row in enumerate(estimated, start=1)),
        gaps=tuple(
            (name_of(company, "operation", row["operation"], language), _why(row, language))
            for row in own
            if row not in estimated
        ),
        behind=tuple(
            (operation.label.in_language(language), name_of(company, "owner", operation.owner, language))
            for operation in company.blueprint.operations
            if id in operation.supports and not own
        ),
        comments=_read_comments(company, touchpoint, language) if comments else (),
        warnings=tuple(
            warning.in_language(language)
            for warning in (causes.warnings if causes else ())
            if is_concerned(company.blueprint, warning, id, {row["operation"] for row in own}, bool(estimated))
        ),
    )


def is_concerned(blueprint: Blueprint, warning: Words, id: str, operations: set[str], estimated: bool) -> bool:
    """Say whether a caution of `causes` belongs on the page of touchpoint ``id``.

    One that names touchpoints belongs to them; one that names operations alone, where one of them is estimated; a
    general one wherever effects are.
    """
    told = warning.in_language("fr")
    places = {each.id for each in blueprint.touchpoints if f"« {each.label.in_language('fr')} » :" in told}
    if places:
        return id in places
    named = {each.id for each in blueprint.operations if f"« {each.label.in_language('fr')} »" in told}
    return estimated and (not named or bool(named & operations))


def write_reading(touchpoint: Touchpoint, row: Row, language: Language) -> Reading:
    """Write the reported experience, or why there is no number."""
    say = Say(language)
    metric, score = str(row.get("metric", "")), row.get("score")
    scale = touchpoint.experience.scale if touchpoint.experience else None
    if score is None and row.get("seen"):
        state = str(row["seen"])
        return Reading(
            level=0, why_not=STATES[state].in_language(language), why_not_says=say(f"touchpoint.{state}_says")
        )
    if score is None:
        few = row.get("n")
        return Reading(
            level=0,
            why_not=say("touchpoint.too_few" if few else "touchpoint.not_measured"),
            why_not_says=say("touchpoint.too_few_says", n=few) if few else say("touchpoint.not_measured_says"),
        )
    level = level_of(metric, score, scale)
    rate, shrunken, change = (row.get(key) for key in ("response_rate", "shrunken", "detectable_change"))
    return Reading(
        level=level,
        level_says=LEVELS[level - 1].in_language(language),
        metric=METRICS.get(metric, metric),
        score=write_score(metric, score, language),
        interval=write_score_interval(metric, row.get("low"), row.get("high"), language),
        n=write_number(row.get("n"), language),
        response_rate=write_share(rate, language, 1) if rate is not None else "",
        shrunken=write_score(metric, shrunken, language) if shrunken is not None else "",
        detectable=_write_change(metric, change, language) if change is not None else "",
    )


def _write_change(metric: str, change: float, language: Language) -> str:
    """Write a change in points: of a percentage for CSAT, of its own scale otherwise."""
    size = 100 * change if metric == "csat" else change
    text = write_number(size, language, 0 if size >= 10 or round(size, 1).is_integer() else 1)
    say = Say(language)
    one = size < 2 if language == "fr" else text == "1"
    return say("touchpoint.detectable_says" if one else "touchpoint.detectable_many", change=text)


def _draw_trend(company: Readable, touchpoint: Touchpoint, language: Language) -> Chart | None:
    rows = [
        row
        for row in rows_of(company, "experience", by="week")
        if row.get("touchpoint") == touchpoint.id and row.get("score") is not None
    ]
    if len(rows) < 2 or touchpoint.experience is None:
        return None
    metric = str(rows[0]["metric"])
    points = [
        TrendPoint(start_ms=_start(row["week"]), score=row["score"], low=row["low"], high=row["high"], n=row["n"])
        for row in sorted(rows, key=lambda row: str(row["week"]))
    ]
    promised = promises_by_touchpoint(company).get(touchpoint.id, {})
    # A bound on the mean score of a CSAT question has no place on an axis of shares.
    drawn = promised.get("metric") == "experience" and (metric != "csat" or promised.get("unit") == "share")
    bound = promised.get("bound") if drawn else None
    name = Say(language)(
        "touchpoint.trend_title", metric=METRICS.get(metric, metric), touchpoint=touchpoint.label.in_language(language)
    )
    return draw_trend(name, metric, points, language, promise=bound, scale=touchpoint.experience.scale)


def _start(week: str | int) -> int:
    """Return the start of a week, named by its day or in epoch milliseconds, in epoch milliseconds."""
    if isinstance(week, int):
        return week
    return int(datetime.fromisoformat(week).replace(tzinfo=UTC).timestamp() * 1000)


def _draw_distribution(touchpoint: Touchpoint, row: Row, language: Language) -> Chart | None:
    counts = row.get("distribution")
    experience = touchpoint.experience
    if not counts or experience is None:
        return None
    low, high = experience.scale
    whole = all(float(key).is_integer() for key in counts) and high - low <= 20
    values = [float(value) for value in range(int(low), int(high) + 1)] if whole else sorted(map(float, counts))
    found = {float(key): int(count) for key, count in counts.items()}
    bins = [
        Bin(
            write_number(value, language, 0 if value.is_integer() else 1),
            found.get(value, 0),
            1 + round(4 * (value - low) / (high - low)),
        )
        for value in values
    ]
    return draw_distribution(Say(language)("touchpoint.distribution"), bins, language)


def _draw_effects(company: Readable, label: str, rows: Sequence[Row], language: Language) -> Chart | None:
    if not rows:
        return None
    say = Say(language)
    drawn = draw_rows(company, rows, language)
    return draw_causes(
        say("touchpoint.causes_title", touchpoint=label), say("touchpoint.causes_unit"), drawn, language, 2
    )


def _why(row: Row, language: Language) -> str:
    for key in ("why", "settle", "gap", "state"):
        if row.get(key):
            return in_words(row[key], language)
    return Say(language)("touchpoint.no_causes")


def _read_comments(company: Readable, touchpoint: Touchpoint, language: Language) -> tuple[Comment, ...]:
    if touchpoint.experience is None or touchpoint.experience.text is None:
        return ()
    latest = company.verbatims(touchpoint.id, limit=MOST_COMMENTS)
    return tuple(
        Comment(
            text=say_masks(comment.text, language),
            score=write_number(comment.score, language, 0 if float(comment.score).is_integer() else 1),
            day=write_date(comment.occurred_ms, language, company.settings.time_zone),
        )
        for comment in sorted(latest, key=lambda comment: -comment.occurred_ms)
    )
