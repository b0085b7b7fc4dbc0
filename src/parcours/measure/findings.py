"""What the measures say in sentences: the few lines that a leader reads first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from parcours.charts.labels import GRADES
from parcours.charts.numbers import write_duration, write_interval, write_money, write_number, write_share
from parcours.charts.scale import write_score, write_score_interval
from parcours.measure.contract import Result
from parcours.words import LANGUAGES, Language, Words

MOST_CAUSES = 3
INSIDE = {
    "site-and-day": Words(fr="à site et jour égaux", en="at equal site and day"),
    "site-and-week": Words(fr="à site et semaine égaux", en="at equal site and week"),
    "site-and-month": Words(fr="à site et mois égaux", en="at equal site and month"),
    "period": Words(fr="d'une période à l'autre", en="from one period to another"),
}
"""What one step of an operation is held equal to, by the words of the effect's unit."""
Row = Mapping[str, Any]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence with the ids and figures it rests on."""

    kind: str
    sentence: Words
    touchpoint: str | None = None
    operation: str | None = None
    stage: str | None = None
    figures: dict[str, Any] = {}


def find(results: Mapping[str, Result], labels: Mapping[str, Words], currency: str = "EUR") -> tuple[Finding, ...]:
    """Return the worst experience, the operations that go with it, broken promises, and where customers stop."""
    ways: dict[str, Callable[[Result], list[Finding]]] = {
        "experience": lambda result: find_experience(result, labels),
        "causes": lambda result: find_causes(result, labels, currency),
        "promises": lambda result: find_promises(result, labels),
        "journey": lambda result: find_journey(result, labels),
    }
    return tuple(finding for name, way in ways.items() if name in results for finding in way(results[name]))


def find_experience(result: Result, labels: Mapping[str, Words]) -> list[Finding]:
    """Return the lowest score, each on its own metric's range; what to collect when nobody answered."""
    scored = [row for row in result.rows if row["score"] is not None]
    if not scored:
        return [Finding(kind="experience", sentence=warning) for warning in result.warnings[:1]]
    row = min(scored, key=_standing)

    def say(language: Language) -> str:
        name = labels[f"touchpoint:{row['touchpoint']}"].in_language(language)
        score = f"{row['metric'].upper()} {write_score(row['metric'], row['score'], language)}"
        interval = write_score_interval(row["metric"], row["low"], row["high"], language)
        count = write_number(row["n"], language)
        if language == "fr":
            return f"L'expérience la plus basse : {name}, {score} ({interval}), {count} réponses."
        return f"The lowest experience: {name}, {score} ({interval}), {count} answers."

    figures = {key: row[key] for key in ("metric", "score", "low", "high", "n")}
    return [Finding(kind="experience", sentence=_both(say), touchpoint=row["touchpoint"], figures=figures)]


def _standing(row: Row) -> float:
    """Where a score stands on its own metric's range, 0 to 1, so that CSAT, NPS and CES compare."""
    scale = [float(end) for end in str(row["scale"]).split("–")]
    low, high = {"csat": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(row["metric"], (scale[0], scale[-1]))
    return float((row["score"] - low) / (high - low))


def find_causes(result: Result, labels: Mapping[str, Words], currency: str) -> list[Finding]:
    """Return the first operations whose whole interval lies on one side of no effect: the unclear is not announced."""
    clear = [row for row in result.rows if row["effect"] is not None and (row["low"] > 0 or row["high"] < 0)]
    return [
        Finding(
            kind="cause",
            sentence=_both(partial(_say_cause, row, labels, currency)),
            touchpoint=row["touchpoint"],
            operation=row["operation"],
            figures={k: row[k] for k in ("effect", "low", "high", "unit", "grade", "n", "customers", "value")},
        )
        for row in clear[:MOST_CAUSES]
    ]


def _say_cause(row: Row, labels: Mapping[str, Words], currency: str, language: Language) -> str:
    operation = labels[f"operation:{row['operation']}"].in_language(language)
    touchpoint = labels[f"touchpoint:{row['touchpoint']}"].in_language(language)
    step = f"{write_number(row['sd'], language, 1)} {row['natural_unit']}"
    inside = next(words for key, words in INSIDE.items() if f"within-{key} SD" in row["unit"]).in_language(language)
    effect, low, high = (write_number(row[key], language, 2, signed=True) for key in ("effect", "low", "high"))
    interval, customers = write_interval(low, high, language), write_number(row["customers"], language)
    value = "" if row["value"] is None else write_money(row["value"], language, currency)
    grade = GRADES[row["grade"]].in_language(language)
    if language == "fr":
        stakes = f"{customers} clients" + (f" et {value} exposés" if value else " exposés")
        return (
            f"{operation} : {step} de plus, {inside}, va de pair avec {effect} point ({interval}) sur "
            f"« {touchpoint} » ; {stakes} ; preuve : {grade}."
        )
    stakes = f"{customers} customers" + (f" and {value} exposed" if value else " exposed")
    return (
        f"{operation}: {step} more, {inside}, goes with {effect} points ({interval}) on “{touchpoint}”; "
        f"{stakes}; evidence {grade}."
    )


def find_promises(result: Result, labels: Mapping[str, Words]) -> list[Finding]:
    """Return which promises are broken, of how many that could be followed."""
    followed = [row for row in result.rows if row["kept"] != "not_measured"]
    broken = [row for row in followed if row["kept"] == "broken"]
    if not broken:
        return []

    def say(language: Language) -> str:
        names = ", ".join(labels[f"touchpoint:{row['touchpoint']}"].in_language(language) for row in broken)
        if language == "fr":
            return f"Promesses non tenues : {len(broken)} sur {len(followed)} suivies ({names})."
        return f"Promises broken: {len(broken)} of {len(followed)} followed ({names})."

    figures = {"broken": len(broken), "followed": len(followed)}
    return [Finding(kind="promise", sentence=_both(say), touchpoint=broken[0]["touchpoint"], figures=figures)]


def find_journey(result: Result, labels: Mapping[str, Words]) -> list[Finding]:
    """Return the stage that the largest share leaves by its deadline, those under way being censored."""
    leaving = [row for row in result.rows if row["left"] and row["left_share"] is not None]
    if not leaving:
        return []
    row = max(leaving, key=lambda row: float(row["left_share"]))

    def say(language: Language) -> str:
        stage = labels[f"stage:{row['stage']}"].in_language(language)
        share = write_share(row["left_share"], language)
        low, high = (write_share(row[key], language) for key in ("left_low", "left_high"))
        interval, deadline = write_interval(low, high, language), write_duration(row["deadline_ms"], language)
        entered, under_way = write_number(row["entered"], language), write_number(row["under_way"], language)
        if language == "fr":
            return (
                f"On s'arrête le plus à l'étape « {stage} » : {share} ({interval}) laissent passer son délai de "
                f"{deadline} avant d'avancer, sur {entered} entrés ; {under_way} encore en chemin, jamais comptés "
                "comme perdus."
            )
        return (
            f"Customers stop most at the stage “{stage}”: {share} ({interval}) let its deadline of {deadline} pass "
            f"before moving on, of {entered} who entered; {under_way} still under way, never counted as lost."
        )

    figures = {key: row[key] for key in ("entered", "moved_on", "left", "under_way", "left_share")}
    return [Finding(kind="journey", sentence=_both(say), stage=row["stage"], figures=figures)]


def _both(say: Callable[[Language], str]) -> Words:
    fr, en = (say(language) for language in LANGUAGES)
    return Words(fr=fr, en=en)
