"""A promise in words: whether it is kept, and the figures that say so, from the measure of promises."""

from __future__ import annotations

import msgspec

from parcours.blueprint.records import Touchpoint
from parcours.charts.numbers import decimals_for, write_interval, write_number, write_share
from parcours.charts.scale import write_score, write_score_interval
from parcours.words import Language
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import Row, name_of
from parcours.workspaces.wording import Say

MOST_PLACES = 4
SHARE_TO_SAY = 0.9
"""Below it, for certain, a promise that is kept on average is not said to be kept without more words."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The promise, its ``state`` (`kept`, `broken`, `uncertain`, `not_measured`), the verdict, and named figures."""

    promise: str
    state: str
    verdict: str
    facts: tuple[tuple[str, str], ...]

    @property
    def says(self) -> str:
        """The figures in one line."""
        return ", ".join(f"{name[:1].lower()}{name[1:]} {figure}" for name, figure in self.facts)


def say_promise(company: Readable, touchpoint: Touchpoint, row: Row, language: Language) -> Kept | None:
    """Say the promise of ``touchpoint`` by its ``row`` of `promises`; ``None`` where nothing is promised."""
    promise, say = touchpoint.promise, Say(language)
    if promise is None:
        return None
    state = str(row.get("kept") or "not_measured")
    behind = promise.metric != "experience"
    facts = [(say("promise.bound"), _write_bound(row, language))] if row else []
    if row and state != "not_measured":
        value, interval = _write_value(row, language)
        facts.append((say("promise.mean"), f"{value} [{interval}]"))
    if row.get("kept_share") is not None:
        low, high = (write_share(row[end], language) for end in ("share_low", "share_high"))
        bounds = write_interval(low, high, language)
        name = say("promise.cases" if behind else "promise.answers_inside")
        facts.append((name, f"{write_share(row['kept_share'], language)} [{bounds}]"))
    if row:
        facts.append((say("promise.events" if behind else "promise.answers"), write_number(row.get("n"), language)))
    if behind:
        operation = company.blueprint.operation(promise.metric)
        owner = name_of(company, "owner", operation.owner, language)
        facts.append((say("promise.behind"), f"{operation.label.in_language(language)} ({owner})"))
    return Kept(
        promise=promise.label.in_language(language),
        state=state,
        verdict=say("promise.partly" if is_partly(row) else f"promise.{state}"),
        facts=tuple(facts),
    )


def is_partly(row: Row) -> bool:
    """Say whether a promise on an operation is kept on average, but for certain not nine times in ten."""
    most = row.get("share_high")
    return row.get("kept") == "kept" and row["metric"] != "experience" and most is not None and most < SHARE_TO_SAY


def _write_value(row: Row, language: Language) -> tuple[str, str]:
    """Return the value with its unit, and its interval with the same digits; as many as keep two bounds apart."""
    low, high = row["low"], row["high"]
    places = decimals_for(row["value"])
    if row["unit"] == "share":
        return write_score("csat", row["value"], language), write_score_interval("csat", low, high, language)
    while places < MOST_PLACES and low != high and f"{low:.{places}f}" == f"{high:.{places}f}":
        places += 1
    interval = write_interval(write_number(low, language, places), write_number(high, language, places), language)
    return _with_unit(write_number(row["value"], language, places), row, language), interval


def _with_unit(number: str, row: Row, language: Language) -> str:
    unit = str(row["unit"])
    if unit.startswith("points"):
        return number
    space = "" if unit == "%" and language == "en" else "\u202f" if unit == "%" else "\u00a0"
    return f"{number}{space}{unit}"


def _write_bound(row: Row, language: Language) -> str:
    say = Say(language)
    found = []
    for end in ("at_least", "at_most"):
        bound = row.get(end)
        if bound is None:
            continue
        if row["unit"] == "share":
            written = write_score("csat", bound, language)
        else:
            written = _with_unit(write_number(bound, language, 0 if bound == int(bound) else 1), row, language)
        found.append(say(f"promise.{end}", bound=written))
    return say("promise.and").join(found)
