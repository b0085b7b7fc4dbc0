"""The scales of pictures: the five levels of reported experience, and the ticks of a number line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from parcours.charts.numbers import write_interval, write_number, write_share
from parcours.words import Language, Words

# Where each next level begins. One fixed ladder for every company, printed in the legend: a colour means the same on
# every page and next year. CSAT is the satisfied share, NPS points, CES the mean effort score as a share of its scale.
LADDERS: dict[str, tuple[float, float, float, float]] = {
    "csat": (0.40, 0.55, 0.70, 0.85),
    "nps": (-10.0, 10.0, 30.0, 50.0),
    "ces": (0.50, 0.60, 0.70, 0.80),
}
LEVELS = (
    Words(fr="très dégradée", en="very poor"),
    Words(fr="dégradée", en="poor"),
    Words(fr="moyenne", en="middling"),
    Words(fr="bonne", en="good"),
    Words(fr="excellente", en="excellent"),
)


def level_of(metric: str, score: float, scale: tuple[float, float] | None = None) -> int:
    """Return the level 1 (worst) to 5 (best) of ``score`` on its metric's ladder.

    ``csat`` in shares, ``nps`` in points, ``ces`` on ``scale`` (1 to 7 when none is given).
    """
    if metric == "ces":
        low, high = scale or (1.0, 7.0)
        score = (score - low) / (high - low)
    return 1 + sum(score >= step for step in LADDERS.get(metric, LADDERS["csat"]))


def say_ladders(language: Language) -> str:
    """Say where each level of each metric begins, for a legend."""
    csat = " · ".join(write_share(step, language) for step in LADDERS["csat"])
    nps = " · ".join(write_number(step, language, signed=True) for step in LADDERS["nps"])
    ces = " · ".join(write_share(step, language) for step in LADDERS["ces"])
    if language == "fr":
        return f"Seuils des niveaux\u00a0: CSAT {csat}\u2003NPS {nps}\u2003CES {ces} de son échelle"
    return f"Levels begin at: CSAT {csat}\u2003NPS {nps}\u2003CES {ces} of its scale"


def span_of(metric: str, scale: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the lowest and highest score that ``metric`` can take."""
    if metric == "nps":
        return -100.0, 100.0
    return (scale or (1.0, 7.0)) if metric == "ces" else (0.0, 1.0)


def write_score(metric: str, score: float | None, language: Language, signed: bool = False) -> str:
    """Write a score in its metric's own form: a percentage, signed points, or a mean with one decimal."""
    if metric == "csat":
        return write_share(score, language, signed=signed)
    if metric == "nps":
        return write_number(score, language, signed=True)
    return write_number(score, language, 1, signed)


def write_score_interval(metric: str, low: float | None, high: float | None, language: Language) -> str:
    """Write the interval of a score in its metric's own form."""
    return write_interval(write_score(metric, low, language), write_score(metric, high, language), language)


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return about ``about`` round values that cover ``low`` to ``high``."""
    if not high > low:
        return [low]
    rough = (high - low) / max(about - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - rough))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def place(value: float, domain: tuple[float, float], ends: tuple[float, float]) -> float:
    """Map ``value`` from ``domain`` to pixels between ``ends``, kept inside them."""
    low, high = domain
    share = 0.5 if high == low else (value - low) / (high - low)
    return ends[0] + min(1.0, max(0.0, share)) * (ends[1] - ends[0])


def domain_of(values: Sequence[float], floor: float | None = None) -> tuple[float, float]:
    """Return the range of ``values`` opened by a twentieth on both sides."""
    low, high = min(values), max(values)
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    low -= margin
    return (max(low, floor) if floor is not None else low), high + margin
