"""What the measures say in sentences: the few lines that a leader reads first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from parcours.charts.labels import GRADES
from parcours.measure.contract import Result
from parcours.words import LANGUAGES, Language, Words

MOST_CAUSES = 3


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence with the ids and figures it rests on."""

    kind: str
    sentence: Words
    touchpoint: str | None = None
    operation: str | None = None
    stage: str | None = None
    figures: dict[str, Any] = {}


def find(results: Mapping[str, Result], labels: Mapping[str, Words]) -> tuple[Finding, ...]:
    """Return the worst experiences, the operations that go with them, and where customers stop."""
    found: list[Finding] = []
    if "experience" in results:
        found += _find_experience(results["experience"], labels)
    if "causes" in results:
        found += _find_causes(results["causes"], labels)
    if "journey" in results:
        found += _find_journey(results["journey"], labels)
    return tuple(found)


def _find_experience(result: Result, labels: Mapping[str, Words]) -> list[Finding]:
    scored = [row for row in result.rows if row["score"] is not None]
    if not scored:
        return [Finding(kind="experience", sentence=warning) for warning in result.warnings[:1]]
    row = min(scored, key=_standing)

    def sentence(language: Language) -> str:
        name = labels[f"touchpoint:{row['touchpoint']}"].in_language(language)
        metric, figures = row["metric"].upper(), f"{_score(row, 'score', language)} [{_score(row, 'low', language)} ; "
        figures += f"{_score(row, 'high', language)}]"
        if language == "fr":
            return f"L'expérience la plus basse : {name}, {metric} {figures}, {_count(row['n'], language)} réponses."
        return f"The lowest experience: {name}, {metric} {figures}, {_count(row['n'], language)} answers."

    figures = {key: row[key] for key in ("metric", "score", "low", "high", "n")}
    return [Finding(kind="experience", sentence=_both(sentence), touchpoint=row["touchpoint"], figures=figures)]


def _standing(row: Mapping[str, Any]) -> float:
    """Where a score stands on its own metric's range, 0 to 1, so that CSAT, NPS and CES compare."""
    low, high = {"csat": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(row["metric"], (1.0, 7.0))
    return float((row["score"] - low) / (high - low))


def _find_causes(result: Result, labels: Mapping[str, Words]) -> list[Finding]:
    shown = [row for row in result.rows if row["effect"] is not None and _hurts(row)][:MOST_CAUSES]
    return [
        Finding(
            kind="cause",
            sentence=_both(lambda language, row=row: _cause_sentence(row, labels, language)),
            touchpoint=row["touchpoint"],
            operation=row["operation"],
            figures={k: row[k] for k in ("effect", "low", "high", "unit", "grade", "n", "customers", "value")},
        )
        for row in shown
    ]


def _hurts(row: Mapping[str, Any]) -> bool:
    """The whole interval lies on one side of no effect: what is unclear is not announced."""
    return bool(row["low"] > 0 or row["high"] < 0)


def _cause_sentence(row: Mapping[str, Any], labels: Mapping[str, Words], language: Language) -> str:
    operation = labels[f"operation:{row['operation']}"].in_language(language)
    touchpoint = labels[f"touchpoint:{row['touchpoint']}"].in_language(language)
    interval = (
        f"{_signed(row['effect'], language)} [{_signed(row['low'], language)} ; {_signed(row['high'], language)}]"
    )
    customers, value = _count(row["customers"], language), _count(round(row["value"] or 0), language)
    if language == "fr":
        return (
            f"« {operation} » va de pair avec {interval} points sur « {touchpoint} » pour un écart-type interne ; "
            f"{customers} clients et {value} € exposés ; preuve : {GRADES[row['grade']].fr}."
        )
    return (
        f"“{operation}” goes with {interval} points on “{touchpoint}” per within-site-and-week SD; "
        f"{customers} customers and €{value} exposed; evidence: {GRADES[row['grade']].en}."
    )


def _find_journey(result: Result, labels: Mapping[str, Words]) -> list[Finding]:
    leaving = [row for row in result.rows if row["left"]]
    if not leaving:
        return []
    row = max(leaving, key=lambda row: row["left"] / max(row["moved_on"] + row["left"], 1))
    share = row["left"] / (row["moved_on"] + row["left"])

    def sentence(language: Language) -> str:
        stage = labels[f"stage:{row['stage']}"].in_language(language)
        left, ended = _count(row["left"], language), _count(row["moved_on"] + row["left"], language)
        under_way = _count(row["under_way"], language)
        percent = f"{100 * share:.0f}"
        if language == "fr":
            return (
                f"Les clients s'arrêtent surtout à l'étape « {stage} » : {left} partis sur {ended} passages achevés "
                f"({percent} %) ; {under_way} encore en chemin, non comptés."
            )
        return (
            f"Customers stop most at the stage “{stage}”: {left} left of {ended} that ended ({percent} %); "
            f"{under_way} still under way, not counted."
        )

    figures = {key: row[key] for key in ("entered", "moved_on", "left", "under_way")}
    return [Finding(kind="journey", sentence=_both(sentence), stage=row["stage"], figures=figures)]


def _both(sentence: Any) -> Words:
    fr, en = (sentence(language) for language in LANGUAGES)
    return Words(fr=fr, en=en)


def _count(number: int, language: Language) -> str:
    return f"{number:,}".replace(",", "\u202f" if language == "fr" else ",")


def _signed(number: float, language: Language) -> str:
    text = f"{number:+.2f}".replace("-", "−")
    return text.replace(".", ",") if language == "fr" else text


def _score(row: Mapping[str, Any], key: str, language: Language) -> str:
    if row["metric"] == "csat":
        return f"{100 * row[key]:.0f} %"
    text = f"{row[key]:+.0f}" if row["metric"] == "nps" else f"{row[key]:.1f}"
    return text.replace(".", ",") if language == "fr" else text
