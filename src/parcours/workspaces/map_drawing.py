"""The service blueprint of a company, ready to draw: its records joined with what has been measured."""

from __future__ import annotations

from collections.abc import Callable

from parcours.charts.blueprint import CauseEdge, OperationBox, StageColumn, TouchCard, draw_blueprint
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_number, write_share
from parcours.words import Language
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import (
    Row,
    experience_by_touchpoint,
    name_of,
    promises_by_touchpoint,
    rows_of,
    say_cause,
    strong_causes,
    weight_of,
)
from parcours.workspaces.wording import Say


def draw_map(company: Readable, language: Language, href: Callable[[str], str]) -> Chart:
    """Draw the whole blueprint; ``href`` gives the address of a touchpoint's page."""
    return draw_blueprint(
        Say(language)("map.drawing"),
        stage_columns(company, language),
        touch_cards(company, language, href),
        [
            OperationBox(
                id=operation.id,
                label=operation.label.in_language(language),
                owner=name_of(company, "owner", operation.owner, language),
                support=operation.line == "support",
            )
            for operation in company.blueprint.operations
        ],
        cause_edges(company, language),
        language,
    )


def stage_columns(company: Readable, language: Language) -> list[StageColumn]:
    """Return the columns: each stage, how many entered it and which share moved on."""
    say = Say(language)
    counted = {row["stage"]: row for row in rows_of(company, "journey")}
    columns = []
    for stage in company.blueprint.stages:
        row = counted.get(stage.id)
        note = ""
        if row and row.get("entered"):
            note = say("map.entered", count=write_number(row["entered"], language))
            if row.get("moved_on"):
                note += say("map.moved_on", share=write_share(row["moved_on"] / row["entered"], language))
        columns.append(StageColumn(stage.label.in_language(language), note))
    return columns


def touch_cards(company: Readable, language: Language, href: Callable[[str], str]) -> list[TouchCard]:
    """Return every touchpoint, with its reported experience where there is one."""
    blueprint = company.blueprint
    stage_at = {stage.id: place for place, stage in enumerate(blueprint.stages)}
    channels = {channel.id: channel for channel in blueprint.channels}
    scored, promised = experience_by_touchpoint(company), promises_by_touchpoint(company)
    cards = []
    for touchpoint in blueprint.touchpoints:
        row: Row = scored.get(touchpoint.id, {})
        experience = touchpoint.experience
        cards.append(
            TouchCard(
                id=touchpoint.id,
                label=touchpoint.label.in_language(language),
                stage=stage_at[touchpoint.stage],
                human=channels[touchpoint.channel].kind == "human",
                channel=channels[touchpoint.channel].label.in_language(language),
                href=href(touchpoint.id),
                metric=str(row.get("metric") or (experience.metric if experience else "")),
                scale=experience.scale if experience else None,
                score=row.get("score"),
                low=row.get("low"),
                high=row.get("high"),
                n=row.get("n") or 0,
                evidence=touchpoint.evidence.in_language(language) if touchpoint.evidence else "",
                unseen=str(row.get("seen") or ""),
                promise=str(promised.get(touchpoint.id, {}).get("kept") or ""),
            )
        )
    return cards


def cause_edges(company: Readable, language: Language) -> list[CauseEdge]:
    """Return an edge for each touchpoint that an operation supports; the strong causes are numbered."""
    strong = strong_causes(company)
    largest = max((weight_of(company, row) for row in strong), default=0.0) or 1.0
    edges = []
    for place, row in enumerate(strong, start=1):
        said = say_cause(company, row, place, language)
        edges.append(
            CauseEdge(
                operation=row["operation"],
                touchpoint=row["touchpoint"],
                weight=weight_of(company, row) / largest,
                rank=place,
                title=f"{said.operation} → {said.touchpoint}, {said.effect} [{said.interval}]",
            )
        )
    drawn = {(edge.operation, edge.touchpoint) for edge in edges}
    for operation in company.blueprint.operations:
        edges += [
            CauseEdge(operation=operation.id, touchpoint=touchpoint)
            for touchpoint in operation.supports
            if (operation.id, touchpoint) not in drawn
        ]
    return edges
