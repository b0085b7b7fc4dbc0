"""What is at stake at a touchpoint, in words: who is exposed to a bad experience there, and what they brought."""

from __future__ import annotations

import msgspec

from parcours.charts.numbers import write_interval, write_money, write_number, write_share
from parcours.measure.stakes import find_threshold
from parcours.words import Language
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import Row, rows_of
from parcours.workspaces.wording import Say

_MONEY = ("likely_value", "likely_value_low", "likely_value_high")


class Stakes(msgspec.Struct, frozen=True, kw_only=True):
    """Who is exposed to a bad experience here, and what they brought; ``value`` is empty without revenue.

    A score under ``below`` is a bad experience; ``bad`` says so.
    """

    customers: str
    interval: str
    share: str
    value: str
    value_interval: str
    n: str
    below: str
    bad: str


def find_stakes(company: Readable, id: str, language: Language) -> Stakes | None:
    """Return what is at stake at touchpoint ``id``, or ``None`` where nobody answered."""
    row: Row | None = next(
        (
            row
            for row in rows_of(company, "stakes")
            if row["touchpoint"] == id and row.get("kind") == "bad_experience" and row.get("likely") is not None
        ),
        None,
    )
    if row is None:
        return None
    experience = company.blueprint.touchpoint(id).experience
    if experience is None:
        return None
    below, *scale = (_write_score(score, language) for score in (find_threshold(experience), *experience.scale))
    currency = company.blueprint.money.currency if company.blueprint.money else "EUR"
    low, high = (write_number(row[end], language) for end in ("likely_low", "likely_high"))
    money = [write_money(row.get(key), language, currency) for key in _MONEY]
    return Stakes(
        customers=write_number(row["likely"], language),
        interval=write_interval(low, high, language),
        share=write_share(row["share"], language),
        value=money[0] if row.get("likely_value") is not None else "",
        value_interval=write_interval(money[1], money[2], language),
        n=write_number(row["n"], language),
        below=below,
        bad=Say(language)("touchpoint.stakes_bad", below=below, low=scale[0], high=scale[1]),
    )


def _write_score(score: float, language: Language) -> str:
    return write_number(score, language, 0 if float(score).is_integer() else 1)
