"""The draw behind the firm: operations by site and week, visits and answers, and the effects planted in them."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from parcours.simulate.design import MEETINGS, WORKS, Meeting, Work, total_effects

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Silence = Literal["explained", "feeling"]


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """One planted truth: the total effect of ``operation`` on the observed score at ``touchpoint``.

    ``effect`` is for one standard deviation of the operation over the visits, within site and week, in ``unit``;
    ``effect_natural`` for one natural unit of the operation (hours, minutes, points of a share …).
    """

    touchpoint: str
    operation: str
    effect: float
    effect_natural: float
    unit: str


class Visits(msgspec.Struct, frozen=True, kw_only=True):
    """The visits of one touchpoint, one row each: their cell, the visit they come from, their answer.

    ``origin`` is a row of the deliveries (of the checkouts for ``click_collect``, of the store visits for ``till``;
    −1: none); ``score`` is NaN for those who say nothing; ``feeling`` is
    the score that each would give.
    """

    site: Ints
    week: Ints
    origin: Ints
    answered: Bools
    score: Floats
    feeling: Ints


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """One realisation of the firm: ``operations`` holds the cell values, shape (sites, weeks), in natural units."""

    seed: int
    operations: dict[str, Floats]
    visits: dict[str, Visits]
    truth: tuple[Planted, ...]


class _Season(msgspec.Struct, frozen=True):
    """The hidden causes: the load of each week and the quality of each site."""

    load: Floats
    quality: Floats


def draw(
    seed: int,
    visits: int = 28_000,
    sites: int = 30,
    weeks: int = 52,
    silence: Silence = "explained",
) -> Draw:
    """Draw the firm once; the same arguments give the same arrays.

    Args:
        seed: Any non-negative integer.
        visits: How many deliveries, at least 20; the other touchpoints follow in proportion.
        sites: How many stores.
        weeks: How many weeks, the season's period being 52.
        silence: ``explained``: who answers depends on the operations alone; ``feeling``: extremes answer more.
    """
    random = np.random.default_rng([seed, 1])
    load = np.sin(np.arange(weeks) / 52 * 2 * np.pi) + 0.5 * random.normal(size=weeks)
    season = _Season(load, random.normal(0, 0.5, sites))
    values: dict[str, Floats] = {}
    standard: dict[str, Floats] = {}
    for work in WORKS:
        values[work.id] = _draw_cells(work, standard, season, random)
        standard[work.id] = (values[work.id] - work.mean) / work.scale
    met: dict[str, Visits] = {}
    truth: list[Planted] = []
    for number, meeting in enumerate(MEETINGS):
        own = np.random.default_rng([seed, 2, number])
        count = max(1, round(visits * meeting.visits))
        site, week, origin = _place_visits(meeting, count, season, met, own)
        index = _index(meeting, standard, season)[site, week]
        odds = _odds(meeting, standard, site, week) if silence == "explained" else None
        met[meeting.id] = _answer(meeting, (site, week, origin), index, odds, own)
        truth += _plant(meeting, index, standard, (site, week))
    return Draw(seed=seed, operations=values, visits=met, truth=tuple(truth))


def within_deviation(cells: Floats, site: Ints, week: Ints) -> float:
    """Return the standard deviation of ``cells[site, week]`` over rows after removing site and week effects.

    Alternating projections, each cell weighted by its number of rows, until nothing moves (unbalanced rows).
    """
    weight = np.zeros(cells.shape)
    np.add.at(weight, (site, week), 1.0)
    rest = cells - cells.mean()
    rows = np.maximum(weight.sum(1), 1.0)
    columns = np.maximum(weight.sum(0), 1.0)
    for _ in range(1000):
        by_site = (weight * rest).sum(1) / rows
        rest = rest - by_site[:, None]
        by_week = (weight * rest).sum(0) / columns
        rest = rest - by_week[None, :]
        if max(np.abs(by_site).max(), np.abs(by_week).max()) < 1e-12 * (1 + np.abs(cells).max()):
            break
    return float(np.sqrt((weight * rest**2).sum() / weight.sum()))


def unit_of(meeting: Meeting) -> str:
    """Return the unit in which a planted effect is written."""
    low, high = meeting.scale
    return f"points ({low:g}–{high:g}) per within-site-and-week SD"


def _draw_cells(work: Work, standard: dict[str, Floats], season: _Season, random: np.random.Generator) -> Floats:
    shape = (len(season.quality), len(season.load))
    latent = work.load * season.load[None, :] + work.quality * season.quality[:, None]
    latent = latent + work.noise * random.normal(size=shape)
    for parent, coefficient in work.follows.items():
        latent = latent + coefficient * standard[parent]
    value = work.mean + work.scale * latent
    if work.kind == "count":
        value = np.maximum(np.round(value), 1.0)
    return np.asarray(value, np.float64)


def _place_visits(
    meeting: Meeting, count: int, season: _Season, met: dict[str, Visits], random: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Return the site, week and origin of each visit: of its own accord, at once, or in the weeks that follow."""
    if meeting.id in {"delivery", "store_visit", "checkout"}:
        site, week = _draw_places(count, season, random)
        origin = np.full(count, -1, np.int64)
        if meeting.id == "delivery":
            origin = np.arange(count, dtype=np.int64)
        elif meeting.id == "checkout":
            # The first checkouts are those of the deliveries, in the same week; the others are collected or go astray.
            parcels = met["delivery"]
            placed = len(parcels.site)
            site[:placed], week[:placed], origin[:placed] = parcels.site, parcels.week, np.arange(placed)
        return site, week, origin
    if meeting.id in {"click_collect", "till"}:
        source = met["checkout" if meeting.id == "click_collect" else "store_visit"]
        origin = random.permutation(np.flatnonzero(source.origin < 0))[:count]
        return source.site[origin], source.week[origin], origin
    parcels = met["delivery"]
    origin = random.choice(len(parcels.site), count, replace=False)
    later = parcels.week[origin] + random.integers(1, 4, count)
    week = np.where(later < len(season.load), later, parcels.week[origin])
    return parcels.site[origin], week, origin


def _draw_places(count: int, season: _Season, random: np.random.Generator) -> tuple[Ints, Ints]:
    busy = np.exp(0.25 * season.load)
    site = random.integers(0, len(season.quality), count)
    return site, random.choice(len(season.load), count, p=busy / busy.sum())


def _index(meeting: Meeting, standard: dict[str, Floats], season: _Season) -> Floats:
    index = meeting.centre + meeting.load * season.load[None, :] + meeting.quality * season.quality[:, None]
    for operation, coefficient in meeting.direct.items():
        index = index + coefficient * standard[operation]
    return np.asarray(index, np.float64)


def _answer(
    meeting: Meeting, place: tuple[Ints, Ints, Ints], index: Floats, odds: Floats | None, random: np.random.Generator
) -> Visits:
    """Draw what each visit feels and who says so; without ``odds`` the feeling itself decides who answers."""
    site, week, origin = place
    latent = index + random.normal(0, meeting.noise, len(site))
    feeling = np.clip(np.rint(latent), *meeting.scale).astype(np.int64)
    if odds is None:
        strength = (latent - meeting.centre) * 1.5 / meeting.noise
        odds = 0.5 * np.abs(strength) - 0.1 * strength
    answered = random.random(len(site)) < expit(odds + _level(odds, meeting.answers))
    score = np.where(answered, feeling, np.nan)
    return Visits(site=site, week=week, origin=origin, answered=answered, score=score, feeling=feeling)


def _odds(meeting: Meeting, standard: dict[str, Floats], site: Ints, week: Ints) -> Floats:
    odds = np.zeros(len(site))
    for operation, coefficient in meeting.answering.items():
        odds += coefficient * standard[operation][site, week]
    return odds


def _level(odds: Floats, share: float) -> float:
    """Return the constant that makes ``share`` of the visits answer on average (bisection)."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if expit(odds + middle).mean() < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def expected_score(meeting: Meeting, index: Floats) -> Floats:
    """Return E[observed score | index]: ``low + Σ Φ((index − c) / noise)`` over the thresholds c between scores."""
    total: Floats = np.full(index.shape, float(meeting.scale[0]))
    for threshold in _thresholds(meeting):
        total = total + np.asarray(ndtr((index - threshold) / meeting.noise), np.float64)
    return total


def slope(meeting: Meeting, index: Floats) -> Floats:
    """Return the derivative of `expected_score` in the index."""
    total: Floats = np.zeros(index.shape)
    for threshold in _thresholds(meeting):
        total = total + np.exp(-0.5 * ((index - threshold) / meeting.noise) ** 2)
    steepness: Floats = total / (meeting.noise * np.sqrt(2 * np.pi))
    return steepness


def _thresholds(meeting: Meeting) -> Floats:
    return np.arange(*meeting.scale).astype(np.float64) + 0.5


def _plant(meeting: Meeting, index: Floats, standard: dict[str, Floats], place: tuple[Ints, Ints]) -> list[Planted]:
    """Return the planted truths of one touchpoint: average slope over all visits × total latent effect × SD."""
    steepness = float(slope(meeting, index).mean())
    scales = {work.id: work.scale for work in WORKS}
    return [
        Planted(
            touchpoint=meeting.id,
            operation=operation,
            effect=steepness * total * within_deviation(standard[operation], *place),
            effect_natural=steepness * total / scales[operation],
            unit=unit_of(meeting),
        )
        for operation, total in total_effects(meeting).items()
    ]
