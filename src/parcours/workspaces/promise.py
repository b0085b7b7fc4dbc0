"""Whether a promise is kept: its bound held against the whole interval, on the scale in which it was promised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from parcours.blueprint.records import Experience, Touchpoint
from parcours.charts.numbers import write_interval, write_number
from parcours.charts.scale import write_score, write_score_interval
from parcours.words import Language, Words
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import Row
from parcours.workspaces.wording import Say

Z = 1.959964


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The promise, and whether it is ``kept``, ``broken``, ``open`` or ``unfollowed``; ``says`` gives the figures."""

    promise: str
    state: str
    says: str


class Mean(NamedTuple):
    """A mean score with its 95 % bounds."""

    value: float
    low: float
    high: float


def bound_mean(distribution: Mapping[str, int], effective_n: float) -> Mean | None:
    """Bound the mean of scores counted in ``distribution``, normal at 95 %; ``None`` below two answers.

    ``effective_n`` counts independent answers (a customer's own answers count together), so the interval is as wide
    as the experience measure's own.
    """
    count = sum(distribution.values())
    if count < 2 or effective_n < 2:
        return None
    mean = sum(float(score) * times for score, times in distribution.items()) / count
    spread = sum((float(score) - mean) ** 2 * times for score, times in distribution.items()) / (count - 1)
    reach = Z * math.sqrt(spread / effective_n)
    return Mean(mean, mean - reach, mean + reach)


def on_metric(experience: Experience, bound: float) -> bool:
    """Say whether ``bound`` is in the metric's own form: a CSAT bound above 1 speaks of the mean score instead."""
    return experience.metric != "csat" or bound <= 1.0


def hold_promise(company: Readable, touchpoint: Touchpoint, row: Row, language: Language) -> Kept | None:
    """Hold the promise of ``touchpoint`` against its experience ``row``; ``None`` where nothing is promised."""
    promise, experience, say = touchpoint.promise, touchpoint.experience, Say(language)
    if promise is None:
        return None
    label = promise.label.in_language(language)
    if promise.metric != "experience":
        name = company.labels.get(promise.metric, Words(promise.metric, promise.metric)).in_language(language)
        return Kept(promise=label, state="unfollowed", says=say("touchpoint.unfollowed_says", metric=name))
    if experience is None or promise.at_least is None or row.get("score") is None:
        return Kept(promise=label, state="unfollowed", says=say("touchpoint.unfollowed_blank"))
    bound = promise.at_least
    if on_metric(experience, bound):
        held = Mean(row["score"], row["low"], row["high"])
        written = write_score(experience.metric, bound, language)
        figures = write_score(experience.metric, held.value, language)
        interval = write_score_interval(experience.metric, held.low, held.high, language)
    else:
        mean = bound_mean(row.get("distribution") or {}, row.get("effective_n") or 0)
        if mean is None:
            return Kept(promise=label, state="unfollowed", says=say("touchpoint.unfollowed_blank"))
        held = mean
        written, figures, low, high = (write_number(value, language, 1) for value in (bound, *mean))
        interval = write_interval(low, high, language)
    state = "kept" if held.low >= bound else "broken" if held.high < bound else "open"
    measured = say("touchpoint.mean" if not on_metric(experience, bound) else "touchpoint.score")
    return Kept(
        promise=label,
        state=state,
        says=say(f"touchpoint.{state}_says", bound=written, measured=measured, figures=figures, interval=interval),
    )
