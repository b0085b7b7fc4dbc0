"""What several pages and the report read alike: rows by touchpoint, the causes worth showing, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from parcours.charts.causes import CauseRow
from parcours.charts.labels import GRADES
from parcours.charts.numbers import MISSING, decimals_for, write_interval, write_money, write_number
from parcours.charts.scale import span_of
from parcours.errors import ParcoursError
from parcours.measure.contract import Result
from parcours.measure.lattice import HIDDEN
from parcours.measure.sight import NOT_YOURS
from parcours.words import Language, Words
from parcours.workspaces.readable import Readable
from parcours.workspaces.wording import Say

MOST_STRONG = 5
Row = Mapping[str, Any]
UNSEEN = (HIDDEN, NOT_YOURS)
"""What a row says of which a role sees nothing."""


def ask(company: Readable, name: str, by: str | None = None) -> Result | None:
    """Return a measure's answer, or ``None`` where no purpose lets it be asked or nothing answers it."""
    try:
        return company.result(name, by=by)
    except ParcoursError:
        return None


def rows_of(company: Readable, name: str, by: str | None = None) -> tuple[dict[str, Any], ...]:
    """Return a measure's rows but those of which a role sees nothing; none where it has no answer."""
    result = ask(company, name, by)
    return () if result is None else tuple(row for row in result.rows if row.get("seen") not in UNSEEN)


def tell_warnings(results: Iterable[Result | None], language: Language) -> tuple[str, ...]:
    """Return what several answers warn of, each sentence once, in the order of the answers."""
    told = [warning.in_language(language) for result in results if result for warning in result.warnings]
    return tuple(dict.fromkeys(told))


def experience_by_touchpoint(company: Readable) -> dict[str, Row]:
    """Return the experience row of each touchpoint that has one."""
    result = ask(company, "experience")
    return {str(row["touchpoint"]): row for row in (result.rows if result else ()) if row.get("touchpoint")}


def promises_by_touchpoint(company: Readable) -> dict[str, Row]:
    """Return the row of each touchpoint's promise."""
    return {str(row["touchpoint"]): row for row in rows_of(company, "promises")}


def is_clear(row: Row) -> bool:
    """Say whether the interval of an effect leaves zero out."""
    return row.get("effect") is not None and row["low"] is not None and (row["low"] > 0 or row["high"] < 0)


def hurts(company: Readable, row: Row) -> bool:
    """Say whether a natural worsening of the operation goes with a lower score.

    The effect is per standard deviation upwards; where less is worse (`worse: low`) the sign turns round.
    """
    worse = company.blueprint.operation(row["operation"]).measure.worse
    return bool((row["effect"] < 0) is (worse == "high"))


def weight_of(company: Readable, row: Row) -> float:
    """Return the size of an effect as a share of its touchpoint's scale, so that effects compare."""
    experience = company.blueprint.touchpoint(row["touchpoint"]).experience
    low, high = experience.scale if experience else span_of("csat")
    return abs(float(row["effect"])) / ((high - low) or 1.0)


def strong_causes(company: Readable) -> list[Row]:
    """Return the causes shown strongly: clear and hurting, the measure's own order, at most five."""
    rows: list[Row] = [row for row in rows_of(company, "causes") if row.get("touchpoint") and is_clear(row)]
    return [row for row in rows if hurts(company, row)][:MOST_STRONG]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A cause in words, for cards and tables; every figure is written already."""

    rank: int
    operation: str
    touchpoint: str
    href: str
    clear: bool
    hurts: bool
    effect: str
    interval: str
    natural: str
    customers: str
    value: str
    owner: str
    grade: str
    grade_says: str
    robustness: str
    settle: str
    n: str


def say_cause(company: Readable, row: Row, rank: int, language: Language, href: str = "") -> Cause:
    """Write one row of `causes` for a reader; ``href`` leads to its touchpoint, by default that one's own page."""
    say = Say(language)
    operation = company.blueprint.operation(row["operation"])
    currency = company.blueprint.money.currency if company.blueprint.money else "EUR"
    known = row.get("effect") is not None
    grade = str(row.get("grade") or "observed")
    return Cause(
        rank=rank,
        operation=operation.label.in_language(language),
        touchpoint=company.blueprint.touchpoint(row["touchpoint"]).label.in_language(language),
        href=href or f"/{language}/touchpoint/{row['touchpoint']}#causes",
        clear=is_clear(row),
        hurts=known and hurts(company, row),
        effect=_points(row.get("effect"), language),
        interval=_interval(row, language),
        natural=_natural(row, language),
        customers=write_number(row.get("customers"), language),
        value=write_money(row.get("value"), language, currency) if row.get("value") is not None else "",
        owner=name_of(company, "owner", operation.owner, language),
        grade=GRADES.get(grade, Words(grade, grade)).in_language(language),
        grade_says=say(f"grade.{grade}_says"),
        robustness=_robustness(row, language),
        settle=in_words(row.get("settle"), language),
        n=write_number(row.get("n"), language),
    )


def draw_rows(company: Readable, rows: Sequence[Row], language: Language) -> list[CauseRow]:
    """Return the rows of a forest plot, those that have an estimate, in the order given."""
    drawn = []
    for row in rows:
        if row.get("effect") is None or row["low"] is None or row["high"] is None:
            continue
        operation = company.blueprint.operation(row["operation"])
        drawn.append(
            CauseRow(
                label=operation.label.in_language(language),
                owner=name_of(company, "owner", operation.owner, language),
                effect=row["effect"],
                low=row["low"],
                high=row["high"],
                grade=str(row.get("grade") or "observed"),
                n=row.get("n") or 0,
                less_is_worse=operation.measure.worse == "low",
            )
        )
    return drawn


def in_words(value: Any, language: Language) -> str:
    """Return a text that may be `Words`, its dictionary form, a plain string or nothing."""
    if isinstance(value, Words):
        return value.in_language(language)
    if isinstance(value, dict):
        return str(value.get(language) or next(iter(value.values()), ""))
    return "" if value is None else str(value)


def _points(effect: float | None, language: Language) -> str:
    if effect is None:
        return MISSING
    return Say(language)("cause.points", effect=write_number(effect, language, 2, signed=True))


def _interval(row: Row, language: Language) -> str:
    low, high = (write_number(row.get(end), language, 2, signed=True) for end in ("low", "high"))
    return write_interval(low, high, language)


def _natural(row: Row, language: Language) -> str:
    if row.get("effect_natural") is None:
        return ""
    natural = float(row["effect_natural"])
    effect = write_number(natural, language, decimals_for(natural), signed=True)
    return Say(language)("cause.natural", effect=effect, unit=in_words(row.get("natural_unit"), language))


def _robustness(row: Row, language: Language) -> str:
    value = row.get("robustness")
    if isinstance(value, int | float):
        share = write_number(100 * value, language, 0)
        return (
            Say(language)("cause.robustness_none") if share == "0" else Say(language)("cause.robustness", share=share)
        )
    return in_words(value, language)


def qualify_labels(company: Readable) -> dict[str, Words]:
    """Return the company's labels, also under ``column:id``: a stage and a touchpoint may share an id."""
    blueprint = company.blueprint
    found = dict(company.labels)
    for column, records in (
        ("stage", blueprint.stages),
        ("channel", blueprint.channels),
        ("owner", blueprint.teams),
        ("touchpoint", blueprint.touchpoints),
        ("source", blueprint.touchpoints),
        ("target", blueprint.touchpoints),
        ("touchpoints", blueprint.touchpoints),
        ("operation", blueprint.operations),
    ):
        found.update({f"{column}:{record.id}": record.label for record in records})
    return found


def name_of(company: Readable, column: str, id: str, language: Language) -> str:
    """Return the label of ``id`` in the kind of things that ``column`` holds; the id itself when it has none."""
    labels = qualify_labels(company)
    found = labels.get(f"{column}:{id}") or labels.get(id)
    return found.in_language(language) if found else id
