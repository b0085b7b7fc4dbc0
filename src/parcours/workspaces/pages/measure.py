"""Any measure as a page: its rows, definition, method and SQL; a new measure appears with no line changed here."""

from __future__ import annotations

import msgspec

from parcours.charts.numbers import write_number, write_period
from parcours.charts.rows import draw_rows
from parcours.measure import MEASURES
from parcours.words import Language
from parcours.workspaces.frame import Frame, Link, frame_page
from parcours.workspaces.missing import MissingError
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import name_of, qualify_labels
from parcours.workspaces.wording import Say

MOST_ROWS = 200


class MeasurePage(msgspec.Struct, frozen=True, kw_only=True):
    """What a measure's page shows."""

    frame: Frame
    name: str
    question: str
    unit: str
    period: str
    n: str
    purpose: str
    splits: tuple[Link, ...]
    table: str
    more: str
    definition: str
    method: str
    sql: str
    warnings: tuple[str, ...]


def read_measure(company: Readable, language: Language, id: str, by: str | None = None) -> MeasurePage:
    """Read measure ``id``, split ``by``; `MissingError` when there is no such measure or split."""
    measure = next((measure for measure in MEASURES if measure.name == id), None)
    if measure is None:
        raise MissingError("error.no_measure", id=id)
    if by is not None and by not in measure.splits_for(company.blueprint):
        raise MissingError("error.no_split", measure=id, by=by)
    offered = company.offered(id)
    if by is None and offered and None not in offered:
        # Whoever sees their own accounts alone is shown them rather than told what they may not see.
        by = offered[0]
    splits = tuple(split for split in offered if split is not None)
    result = company.result(id, by=by)
    say = Say(language)
    currency = company.blueprint.money.currency if company.blueprint.money else "EUR"
    shown = msgspec.structs.replace(result, rows=result.rows[:MOST_ROWS])
    hidden = len(result.rows) > MOST_ROWS
    place = f"measure/{id}" + (f"?by={by}" if by else "")
    return MeasurePage(
        frame=frame_page(company, language, place, measure.question.in_language(language)),
        name=id,
        question=result.question.in_language(language),
        unit=result.unit.in_language(language),
        period=write_period(result.period, language, company.settings.time_zone),
        n=write_number(result.n, language),
        purpose=name_of(company, "purpose", result.purpose, language),
        splits=_link_splits(company, splits, by, f"/{language}/measure/{id}", language, None in offered),
        table=draw_rows(shown, qualify_labels(company), language, currency) if result.rows else "",
        more=say("measure.more", shown=MOST_ROWS, total=len(result.rows), measure=id) if hidden else "",
        definition=result.definition.in_language(language),
        method=result.method.in_language(language),
        sql=result.sql,
        warnings=tuple(warning.in_language(language) for warning in result.warnings),
    )


def _link_splits(
    company: Readable, splits: tuple[str, ...], by: str | None, href: str, language: Language, whole: bool
) -> tuple[Link, ...]:
    if not splits:
        return ()
    say = Say(language)

    def name(split: str) -> str:
        last = split.rpartition(",")[2]
        key = f"split.{last}"
        said = say(key) if say.has(key) else name_of(company, "group", last.rpartition(":")[2], language)
        return f"{_split_head(split, say)}{said}"

    first = (Link(say("measure.whole"), href, by is None),) if whole else ()
    return (*first, *(Link(name(split), f"{href}?by={split}", split == by) for split in splits))


def _split_head(split: str, say: Say) -> str:
    return f"{say('touchpoint.point').lower()} × " if "," in split else ""
