"""What the tables of one purpose leave out, in counts, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.blueprint.records import Blueprint, Experience, Purpose
from parcours.charts.numbers import counted, write_number
from parcours.words import LANGUAGES, Words

TOO_MANY, TOO_MANY_SHARE = 10, 0.01
"""From so many answers off the scale, and over this share, it is the scale that is wrong and not an answer."""

TOO_FEW_SHARE = 0.1
"""With fewer customers in sight than this share, what was withheld explains an empty table."""


class Answered(msgspec.Struct):
    """Answers about one touchpoint: given, without a score, off the scale, and the range of all scores."""

    given: int = 0
    unscored: int = 0
    off_scale: int = 0
    lowest: float | None = None
    highest: float | None = None

    def add(self, score: npt.NDArray[np.float64], scale: tuple[float, float]) -> npt.NDArray[np.bool_]:
        """Count further scores (NaN where there is none) and return which of them stand on the scale."""
        told = np.isfinite(score)
        on_scale: npt.NDArray[np.bool_] = told & (score >= scale[0]) & (score <= scale[1])
        self.given += len(score)
        self.unscored += int((~told).sum())
        self.off_scale += int((told & ~on_scale).sum())
        if told.any():
            low, high = float(score[told].min()), float(score[told].max())
            self.lowest = low if self.lowest is None else min(low, self.lowest)
            self.highest = high if self.highest is None else max(high, self.highest)
        return on_scale

    @property
    def is_misjudged(self) -> bool:
        """Whether so many scores are off the scale that those on it say nothing either."""
        return self.off_scale >= TOO_MANY and self.off_scale > TOO_MANY_SHARE * self.given


class Unmet(msgspec.Struct, frozen=True):
    """A condition that no event of its name fulfils: what it asks, and the values that occur, by field."""

    table: str
    label: Words
    name: str
    events: int
    asked: dict[str, tuple[str, ...]]
    found: dict[str, tuple[str, ...]]


class Withheld(msgspec.Struct, frozen=True):
    """Of ``everyone`` with events: who does not allow the purpose, and whose events all came before they did.

    ``restricted`` are people of whom nothing is used because they asked so; they are not among the others.
    """

    everyone: int = 0
    people: int = 0
    early: int = 0
    events: int = 0
    restricted: int = 0


class LeftOut(msgspec.Struct, frozen=True):
    """All counts of one purpose: rows past retention, withheld people, answers by touchpoint id, unmet conditions."""

    expired: int
    withheld: Withheld
    answered: dict[str, Answered]
    unmet: tuple[Unmet, ...]


class Omission(msgspec.Struct, frozen=True):
    """One sentence; ``table`` is what it concerns (none: all), ``explains`` whether it may be why that is empty."""

    sentence: Words
    table: str | None = None
    explains: bool = False


def find_omissions(blueprint: Blueprint, purpose: Purpose, customers: int, left: LeftOut) -> tuple[Omission, ...]:
    """Say everything that was left out where ``customers`` are in sight; what may explain an empty table first."""
    told = [*_say_withheld(purpose, left.withheld, customers)]
    for touchpoint in blueprint.touchpoints:
        if touchpoint.experience and touchpoint.id in left.answered:
            told += _say_answered(touchpoint.label, touchpoint.experience, left.answered[touchpoint.id])
    told += [Omission(_say_unmet(one), one.table, one.table == "answers") for one in left.unmet]
    if left.expired:
        told.append(
            Omission(
                _counted(
                    "{0} événements ont dépassé la durée de conservation de cette finalité.",
                    "{0} events are past the retention of this purpose.",
                    left.expired,
                ),
                explains=not customers,
            )
        )
    if not customers and not told:
        told.append(Omission(NOBODY, explains=True))
    return tuple(sorted(told, key=lambda one: not one.explains))


def _say_withheld(purpose: Purpose, withheld: Withheld, customers: int) -> Iterator[Omission]:
    explains = customers < TOO_FEW_SHARE * withheld.everyone
    label = {language: purpose.label.in_language(language) for language in LANGUAGES}
    one, many = ("n'a pas autorisé", "has not allowed"), ("n'ont pas autorisé", "have not allowed")
    if purpose.basis != "consent":
        one, many = ("a refusé", "has refused"), ("ont refusé", "have refused")
    everyone = {language: write_number(withheld.everyone, language) for language in LANGUAGES}
    of = Words(fr=f"{{count}} client sur {everyone['fr']}", en=f"{{count}} of {everyone['en']} customers")
    several = Words(fr=f"{{count}} clients sur {everyone['fr']}", en=of.en)
    if withheld.people:
        yield Omission(
            counted(
                withheld.people,
                Words(
                    fr=f"{of.fr} {one[0]} « {label['fr']} » : ses événements ne sont pas lus.",
                    en=f"{of.en} {one[1]} “{label['en']}”: their rows are not read.",
                ),
                Words(
                    fr=f"{several.fr} {many[0]} « {label['fr']} » : leurs événements ne sont pas lus.",
                    en=f"{of.en} {many[1]} “{label['en']}”: their rows are not read.",
                ),
            ),
            explains=explains,
        )
    if withheld.restricted:
        restricted = Words(
            fr=f"« {label['fr']} » ne se sert pas des données de {{place}} : une limitation est demandée, ou une "
            "opposition est examinée (RGPD, art. 18).",
            en=f"“{label['en']}” does not use the data of {{place}}: a restriction was asked for, or an objection is "
            "being weighed (GDPR art. 18).",
        )
        yield Omission(
            counted(withheld.restricted, _put(restricted, of), _put(restricted, several)),
            explains=explains,
        )
    if withheld.early:
        yield Omission(
            counted(
                withheld.early,
                Words(
                    fr=f"{of.fr} n'a que des événements arrivés avant son accord à « {label['fr']} », ou avant que "
                    "cette finalité soit déclarée : ils ne sont pas lus.",
                    en=f"{of.en} has only events that came before they allowed “{label['en']}”, or before this purpose "
                    "was declared: their rows are not read.",
                ),
                Words(
                    fr=f"{several.fr} n'ont que des événements arrivés avant leur accord à « {label['fr']} », ou avant "
                    "que cette finalité soit déclarée : ils ne sont pas lus.",
                    en=f"{of.en} have only events that came before they allowed “{label['en']}”, or before this "
                    "purpose was declared: their rows are not read.",
                ),
            ),
            explains=explains,
        )


def _put(sentence: Words, place: Words) -> Words:
    return Words(fr=sentence.fr.replace("{place}", place.fr), en=sentence.en.replace("{place}", place.en))


def _say_answered(label: Words, experience: Experience, answered: Answered) -> Iterator[Omission]:
    low, high = (f"{end:g}" for end in experience.scale)
    kept = answered.given - answered.unscored - answered.off_scale
    if answered.is_misjudged:
        yield Omission(
            _counted(
                f"{label.in_language('fr')} : {{0}} réponses sur {{1}} sont hors de l'échelle déclarée ({low}–{high} ; "
                f"les notes vont de {answered.lowest:g} à {answered.highest:g}). Aucun score n'y est donc donné : "
                "corrigez `scale` dans le blueprint, ou l'unité de la note dans la source.",
                f"{label.in_language('en')}: {{0}} of {{1}} answers are outside the declared scale ({low}–{high}; "
                f"scores go from {answered.lowest:g} to {answered.highest:g}). So no score is given there: mend "
                "`scale` in the blueprint, or the score's unit in the source.",
                answered.off_scale,
                answered.given,
            ),
            "answers",
            explains=True,
        )
    elif answered.off_scale:
        yield Omission(
            _counted(
                f"{label.in_language('fr')} : {{0}} réponse(s) sur {{1}} sont hors de l'échelle déclarée "
                f"({low}–{high}) et ne sont pas comptées. Vérifiez ces lignes, ou `scale` dans le blueprint.",
                f"{label.in_language('en')}: {{0}} of {{1}} answers are outside the declared scale ({low}–{high}) and "
                "are not counted. Check these rows, or `scale` in the blueprint.",
                answered.off_scale,
                answered.given,
            ),
            "answers",
            explains=not kept,
        )
    if answered.unscored:
        yield Omission(
            _counted(
                f"{label.in_language('fr')} : {{0}} réponse(s) sur {{1}} n'ont pas de note et ne sont pas comptées. "
                f"Vérifiez le champ « {experience.field} » dans la source.",
                f"{label.in_language('en')}: {{0}} of {{1}} answers have no score and are not counted. "
                f"Check the field “{experience.field}” in the source.",
                answered.unscored,
                answered.given,
            ),
            "answers",
            explains=not kept,
        )


def _say_unmet(unmet: Unmet) -> Words:
    asked = "; ".join(f"{field} = {', '.join(values)}" for field, values in unmet.asked.items())
    found = {
        language: "; ".join(
            f"{field} = {', '.join(values) or ('vide' if language == 'fr' else 'empty')}"
            for field, values in unmet.found.items()
        )
        for language in LANGUAGES
    }
    return _counted(
        f"{unmet.label.in_language('fr')} : aucun des {{0}} événements « {unmet.name} » ne remplit la condition "
        f"({asked}). Valeurs présentes : {found['fr']}. Corrigez `where` dans le blueprint.",
        f"{unmet.label.in_language('en')}: none of the {{0}} events “{unmet.name}” fulfils the condition "
        f"({asked}). Values that occur: {found['en']}. Mend `where` in the blueprint.",
        unmet.events,
    )


def _counted(french: str, english: str, *counts: int) -> Words:
    """Return a sentence with its counts written as each language writes them; only ``{0}``, ``{1}`` … are places."""
    said = {"fr": french, "en": english}
    for language in LANGUAGES:
        for place, count in enumerate(counts):
            said[language] = said[language].replace(f"{{{place}}}", write_number(count, language))
    return Words(fr=said["fr"], en=said["en"])


NOBODY = Words(
    fr="Aucun client n'est visible pour cette finalité : aucun événement d'une personne qui l'autorise n'a été gardé. "
    "Un événement sans aucune base légale est compté, puis écarté.",
    en="No customer can be seen for this purpose: no event of anybody who allows it was kept. "
    "An event without any legal basis is counted, then discarded.",
)
