"""What each derived table is made of: the fields that it reads, and the purposes that these leave it."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.records import Blueprint, EventMatch, Purpose
from parcours.blueprint.yaml_lines import Place

TABLES: dict[str, tuple[str, ...]] = {
    "experience": ("answers", "touches", "customers"),
    "journey": ("touches", "customers"),
    "transitions": ("touches",),
    "funnel": ("touches", "customers"),
    "causes": ("touches", "answers", "operations", "customers"),
    "stakes": ("touches", "answers", "operations", "customers"),
    "promises": ("operations", "answers"),
    "export": ("touches", "operations"),
}
"""The derived tables that each measure or reading rests on; one customer's timeline rests on none of them."""

Read = tuple[Place, str]
"""A place of the blueprint, and the field that it names."""


def list_reads(blueprint: Blueprint, table: str) -> list[Read]:
    """Return every field that goes into ``table``, with where the blueprint says so."""
    readers = {
        "touches": (_read_touches, _read_money, _read_site, _read_groups),
        "answers": (_read_touches, _read_answers, _read_site, _read_groups),
        "operations": (_read_operations, _read_site),
        "customers": (_read_touches, _read_money, _read_groups),
    }
    return [one for reader in readers[table] for one in reader(blueprint)]


def tables_of(purpose: Purpose) -> tuple[str, ...]:
    """Return the derived tables that the measures of ``purpose`` rest on."""
    names = TABLES if "all" in purpose.measures else purpose.measures
    return tuple(dict.fromkeys(table for name in names for table in TABLES.get(name, ())))


def purposes_of(blueprint: Blueprint, table: str) -> frozenset[str]:
    """Return the purposes that ``table`` may serve: those that every field in it may serve."""
    left = {purpose.id for purpose in blueprint.purposes}
    for _, field in list_reads(blueprint, table):
        left &= blueprint.purposes_of_field(field)
    return frozenset(left)


def _read_touches(blueprint: Blueprint) -> Iterator[Read]:
    for number, touchpoint in enumerate(blueprint.touchpoints):
        for place, match in enumerate(touchpoint.events):
            yield from _conditions(("touchpoints", number, "events", place), match)


def _read_answers(blueprint: Blueprint) -> Iterator[Read]:
    for number, touchpoint in enumerate(blueprint.touchpoints):
        experience, place = touchpoint.experience, ("touchpoints", number, "experience")
        if experience:
            yield (*place, "field"), experience.field
            yield from _conditions((*place, "event"), experience.event)
            if experience.text:
                yield (*place, "text"), experience.text


def _read_operations(blueprint: Blueprint) -> Iterator[Read]:
    for number, operation in enumerate(blueprint.operations):
        for place, match in enumerate(operation.events):
            yield from _conditions(("operations", number, "events", place), match)
        if operation.measure.field:
            yield ("operations", number, "measure", "field"), operation.measure.field
        if operation.measure.until:
            yield from _conditions(("operations", number, "measure", "until"), operation.measure.until)


def _read_site(blueprint: Blueprint) -> Iterator[Read]:
    if blueprint.panel and blueprint.panel.site:
        yield ("panel", "site"), blueprint.panel.site


def _read_money(blueprint: Blueprint) -> Iterator[Read]:
    if blueprint.money:
        yield ("money", "field"), blueprint.money.field
        yield from _conditions(("money", "event"), blueprint.money.event)


def _read_groups(blueprint: Blueprint) -> Iterator[Read]:
    for number, group in enumerate(blueprint.groups):
        yield ("groups", number, "field"), group.field


def _conditions(place: Place, match: EventMatch) -> Iterator[Read]:
    for field in match.where:
        yield (*place, "where", field), field
