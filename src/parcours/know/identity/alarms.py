"""Alarms: what says that identifiers are fusing people, or that a source sends rubbish."""

from __future__ import annotations

import numpy as np

from parcours.charts.numbers import write_number
from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.people import People
from parcours.know.identity.shared import DEVICE
from parcours.know.identity.verdicts import REFUSED
from parcours.know.pseudonyms import types_of
from parcours.words import LANGUAGES, Words

MOST_IDENTIFIERS = 50
MOST_REFUSED = 0.05
MOST_STRONGEST = 3
JUMP = 2
"""The biggest profile may not become so many times as big from one fold to the next, once it has `LEAST_JUMP`."""
LEAST_JUMP = 10


def measure_biggest(people: People) -> int:
    """Return how many identifiers the biggest profile has."""
    return int(np.bincount(people.person).max(initial=0))


def find_alarms(people: People, before: int = 0) -> tuple[Words, ...]:
    """Return every alarm in a sentence; ``before`` is how big the biggest profile was at the fold before, if known."""
    sizes = np.bincount(people.person)
    biggest = int(sizes.max(initial=0))
    told = []
    if crowded := int((sizes > MOST_IDENTIFIERS).sum()):
        told.append(
            _say(
                "{count} profil(s) ont plus de {most} identifiants ; le plus grand en a {biggest}. "
                "Voyez parcours explain.",
                "{count} profile(s) have more than {most} identifiers; the biggest has {biggest}. "
                "See parcours explain.",
                count=crowded,
                most=MOST_IDENTIFIERS,
                biggest=biggest,
            )
        )
    if before and biggest >= max(LEAST_JUMP, before * JUMP):
        told.append(
            _say(
                "Le plus grand profil est passé de {before} à {biggest} identifiants d'une fois à l'autre.",
                "The biggest profile went from {before} to {biggest} identifiers from one time to the next.",
                before=before,
                biggest=biggest,
            )
        )
    refused = int((people.verdicts >= REFUSED).sum())
    if refused > MOST_REFUSED * len(people.verdicts):
        told.append(
            _say(
                "{share} % des liens entre identifiants sont refusés par une limite : une source mélange sans doute "
                "des personnes. Voyez parcours review.",
                "A limit refuses {share}% of the edges between identifiers: some source probably mixes people up. "
                "See parcours review.",
                share=round(100 * refused / len(people.verdicts)),
            )
        )
    if popular := count_popular(people):
        told.append(
            _say(
                "{count} adresse(s) ou numéro(s) ont été vus avec plus de {most} identifiants plus forts. Bloquez-les "
                "(blocked) s'ils ne désignent personne.",
                "{count} address(es) or number(s) were seen with more than {most} stronger identifiers. Block them "
                "(blocked) if they name nobody.",
                count=popular,
                most=MOST_STRONGEST,
            )
        )
    return tuple(told)


def count_popular(people: People) -> int:
    """Return how many mails and phones stood beside more than `MOST_STRONGEST` stronger identifiers."""
    kinds = types_of(people.pseudonyms)
    users = IDENTIFIERS.index("user")
    strong, weak = people.ends[:, 0], people.ends[:, 1]
    counted = (kinds[weak] < DEVICE) & (kinds[strong] == users) & (kinds[weak] != users)
    return int((np.bincount(weak[counted]) > MOST_STRONGEST).sum())


def _say(french: str, english: str, **figures: int) -> Words:
    told = {
        language: {name: write_number(figure, language) for name, figure in figures.items()} for language in LANGUAGES
    }
    return Words(fr=french.format(**told["fr"]), en=english.format(**told["en"]))
