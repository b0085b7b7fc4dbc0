"""The home page: the blueprint over its lines, coloured by experience, and what goes with the worst of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from parcours.charts.blueprint import TouchCard, describe_touch
from parcours.charts.chart import Chart
from parcours.charts.labels import METRICS, PROMISE_BROKEN
from parcours.charts.numbers import write_moment, write_number, write_period
from parcours.charts.scale import place, span_of, write_score, write_score_interval
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.map_drawing import draw_map, stage_columns, touch_cards
from parcours.workspaces.promise import is_partly
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import Cause, ask, rows_of, say_cause, strong_causes, tell_warnings
from parcours.workspaces.stakes import find_stakes
from parcours.workspaces.wording import Say

MOST_FINDINGS = 3


class ListedTouch(msgspec.Struct, frozen=True, kw_only=True):
    """A touchpoint as the narrow screen lists it."""

    label: str
    href: str
    human: bool
    channel: str
    level: int
    metric: str
    score: str
    interval: str
    n: str
    broken: str
    missing: str
    said: str


class ListedStage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of the list, with its touchpoints."""

    label: str
    note: str
    touches: tuple[ListedTouch, ...]


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the first ten seconds: what it is, the figure, and what it rests on; ``href`` leads to more."""

    name: str
    figure: str
    rests: str
    href: str = ""


class MapPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the map page shows."""

    frame: Frame
    headline: str
    lede: str
    glance: tuple[Glance, ...]
    findings: tuple[Cause, ...]
    drawing: Chart
    stages: tuple[ListedStage, ...]
    data: str
    warnings: tuple[str, ...]


def read_map(company: Readable, language: Language, prefix: str = "") -> MapPage:
    """Read what the map page shows; ``prefix`` before a touchpoint's id is where it leads, by default its page."""
    prefix = prefix or f"/{language}/touchpoint/"

    def href(touchpoint: str) -> str:
        return f"{prefix}{touchpoint}"

    say = Say(language)
    cards = touch_cards(company, language, href)
    headline, lede = write_headline(company, cards, language)
    strong = strong_causes(company)[:MOST_FINDINGS]
    results = [ask(company, name) for name in ("experience", "causes")]
    return MapPage(
        frame=frame_page(company, language, "map", say("map.title")),
        headline=headline,
        lede=lede,
        glance=read_glance(company, cards, language, href),
        findings=tuple(
            say_cause(company, row, rank, language, href(row["touchpoint"])) for rank, row in enumerate(strong, start=1)
        ),
        drawing=draw_map(company, language, href),
        stages=tuple(
            ListedStage(
                label=stage.label,
                note=stage.note,
                touches=tuple(_list(card, language) for card in cards if card.stage == place),
            )
            for place, stage in enumerate(stage_columns(company, language))
        ),
        data=say_data(company, language),
        warnings=tell_warnings(results, language),
    )


def say_data(company: Readable, language: Language) -> str:
    """Return what the latest run read, kept and set aside, and when; nothing before the first run."""
    run, say = company.report, Say(language)
    if run is None:
        return ""
    counts = {name: sum(int(source["counts"][name]) for source in run.sources) for name in ("rows_read", "quarantined")}
    used = ask(company, "experience")
    figures = {
        "read": counts["rows_read"],
        "kept": counts["rows_read"] - counts["quarantined"],
        "quarantined": counts["quarantined"],
        "events": run.events,
        "customers": run.customers,
        "answers": used.n if used else 0,
    }
    said = say(
        "map.data_run",
        moment=write_moment(run.finished_ms, language, company.settings.time_zone),
        **{name: write_number(figure, language) for name, figure in figures.items()},
    )
    return f"{said} {say('map.data_warnings', warnings=len(run.warnings))}" if run.warnings else said


def write_headline(company: Readable, cards: list[TouchCard], language: Language) -> tuple[str, str]:
    """Return the one sentence to remember, and the figures under it."""
    say = Say(language)
    scored = [card for card in cards if card.score is not None]
    worst = find_worst(cards)
    if worst is None and (unseen := list(dict.fromkeys(card.say_missing(language) for card in cards if card.unseen))):
        return say("map.unseen"), say("map.unseen_says", total=len(cards), why=", ".join(unseen))
    if worst is None:
        return say("map.nothing"), say("map.nothing_says", total=len(cards))
    result = ask(company, "experience")
    return say("map.worst", touchpoint=worst.label), say(
        "map.worst_says",
        metric=METRICS.get(worst.metric, worst.metric),
        score=write_score(worst.metric, worst.score, language),
        interval=write_score_interval(worst.metric, worst.low, worst.high, language),
        n=write_number(worst.n, language),
        measured=len(scored),
        total=len(cards),
        period=write_period(result.period if result else None, language, company.settings.time_zone),
    )


def read_glance(
    company: Readable, cards: list[TouchCard], language: Language, href: Callable[[str], str]
) -> tuple[Glance, ...]:
    """Return the three figures beside the worst experience: what goes with it, who is exposed, what is promised."""
    say = Say(language)
    found = []
    worst = find_worst(cards)
    strong = strong_causes(company)
    mine = [row for row in strong if worst and row["touchpoint"] == worst.id] or strong
    if mine:
        said = say_cause(company, mine[0], 1, language)
        rests = say("map.glance_cause", touchpoint=said.touchpoint, interval=said.interval, owner=said.owner)
        name = say("map.glance_goes", effect=said.effect)
        found.append(Glance(name=name, figure=said.operation, rests=rests, href=href(mine[0]["touchpoint"])))
    if worst and (stakes := find_stakes(company, worst.id, language)):
        figure = say("map.glance_customers", customers=stakes.customers)
        rests = say("map.glance_stakes", interval=stakes.interval, touchpoint=worst.label)
        if stakes.value:
            rests += say("map.glance_value", value=stakes.value, interval=stakes.value_interval)
        found.append(
            Glance(name=say("map.glance_exposed", below=stakes.below), figure=figure, rests=rests, href=href(worst.id))
        )
    return (*found, *_glance_promises(company, cards, language, href))


def _glance_promises(
    company: Readable, cards: list[TouchCard], language: Language, href: Callable[[str], str]
) -> list[Glance]:
    say = Say(language)
    rows = [row for row in rows_of(company, "promises") if row["kept"] not in (None, "not_measured")]
    if not rows:
        return []
    broken = [card for card in cards if card.broken]
    partly = sum(is_partly(row) for row in rows)
    rests = ", ".join(card.label for card in broken) or say("map.glance_none")
    return [
        Glance(
            name=say("map.glance_promises"),
            figure=say("map.glance_broken", broken=len(broken), total=len(rows)),
            rests=rests + (say("map.glance_partly", partly=partly) if partly else ""),
            href=href(broken[0].id) if broken else "",
        )
    ]


def find_worst(cards: list[TouchCard]) -> TouchCard | None:
    """Return the measured touchpoint lowest on its own scale."""
    scored = [card for card in cards if card.score is not None]
    return min(
        scored, key=lambda card: place(card.score or 0.0, span_of(card.metric, card.scale), (0.0, 1.0)), default=None
    )


def _list(card: TouchCard, language: Language) -> ListedTouch:
    return ListedTouch(
        label=card.label,
        href=card.href,
        human=card.human,
        channel=card.channel,
        level=card.level,
        metric=METRICS.get(card.metric, card.metric),
        score=write_score(card.metric, card.score, language) if card.level else "",
        interval=write_score_interval(card.metric, card.low, card.high, language) if card.level else "",
        n=write_number(card.n, language),
        broken=PROMISE_BROKEN.in_language(language) if card.broken else "",
        missing=card.say_missing(language),
        said=describe_touch(card, language),
    )
