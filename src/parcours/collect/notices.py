"""What is worth saying of a source that was loaded all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parcours.collect.inspection import Plan
from parcours.collect.quarantine import Quarantine
from parcours.collect.report import Counts
from parcours.errors import Fault
from parcours.words import Words

_ENCODING_ROWS = 10


def source_warnings(
    plan: Plan,
    counts: Mapping[str, Counts],
    quarantines: Sequence[Quarantine],
    gone: Sequence[str],
    duplicates: int,
    ahead: int,
) -> list[Words]:
    """Return the warnings of one load of one source, in the order in which they matter."""
    told = [warning for one in quarantines for warning in one.warnings()]
    for one in quarantines:
        if one.by_code.get("not_utf8", 0) >= _ENCODING_ROWS:
            told.append(
                Words(
                    "Beaucoup de lignes ne sont pas dans l'encodage annoncé : essayez csv: {encoding: cp1252}.",
                    "Many rows are not in the encoding stated: try csv: {encoding: cp1252}.",
                )
            )
    for file in plan.files:
        if file.empty or counts[file.name].rows_read == 0:
            told.append(Words(f"{file.name} est vide.", f"{file.name} is empty."))
    if duplicates:
        told.append(
            Words(
                f"{duplicates} ligne(s) portent une clé déjà lue : la dernière compte.",
                f"{duplicates} row(s) have a key that was read before: the last one counts.",
            )
        )
    if ahead:
        told.append(
            Words(
                f"{ahead} événement(s) à venir : leur date est dans le futur ; ils compteront quand elle sera passée.",
                f"{ahead} event(s) still to come: their date is in the future; they count once it has passed.",
            )
        )
    if not plan.key and plan.files:
        told.append(
            Words(
                "Sans clé déclarée, chaque ligne entière est sa propre clé.",
                "Without a declared key, each whole row is its own key.",
            )
        )
    for name in gone:
        told.append(
            Words(f"{name} n'est plus là : ses événements sont gardés.", f"{name} is gone: its events are kept.")
        )
    return told


def condition_unmet(fault: Fault) -> Words:
    """Return a warning about the description of a source with its file and line."""
    return Words(
        f"{fault.sentence.fr} {fault.remedy.fr} ({fault.place})",
        f"{fault.sentence.en} {fault.remedy.en} ({fault.place})",
    )
