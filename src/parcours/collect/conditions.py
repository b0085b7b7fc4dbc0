"""Conditions that no row meets: probably a value that is written otherwise in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from parcours.blueprint.yaml_lines import Node
from parcours.collect.source import Condition, Source
from parcours.errors import Fault
from parcours.words import Words

Met = Mapping[Condition, Mapping[str, int] | None]
"""What a batch tells of each condition: nothing where a row met it, else the values that stand there and how often."""

MOST_VALUES = 50
"""A column with more values than these is no status: it may be about persons, and none of it is told."""

_MOST_TOLD, _MOST_SHOWN = 5, 40


class Unmet:
    """The conditions of one source that no row has met so far."""

    def __init__(self) -> None:
        self._met: set[Condition] = set()
        self._values: dict[Condition, Counter[str]] = {}

    def note(self, found: Met) -> None:
        """Take in what one more batch tells."""
        for condition, values in found.items():
            if values is None:
                self._met.add(condition)
            else:
                self._values.setdefault(condition, Counter()).update(values)

    def faults(self, source: Source, node: Node, first_rows: int | None = None) -> list[Fault]:
        """Return a warning a condition that was never met; ``first_rows`` when only so many rows a file were tried."""
        told: dict[Condition, Fault] = {}
        for index, event in enumerate(source.events):
            condition = event.when
            if condition in self._values and condition not in self._met and condition not in told:
                words = _sentence(condition, first_rows), _remedy(source, condition, self._values[condition])
                told[condition] = node.warning("condition_never_met", ("events", index, "when"), *words)
        return list(told.values())


def _sentence(condition: Condition, first_rows: int | None) -> Words:
    french, english = (f"« {value} »" for value in condition.values), (f"“{value}”" for value in condition.values)
    among = Words(" aucune ligne", " no row")
    if first_rows:
        among = Words(f" aucune des {first_rows} premières lignes", f" none of the first {first_rows} rows")
    return Words(
        f"when: ne retient{among.fr} : « {condition.column} » n'y vaut jamais {' ni '.join(french)}.",
        f"when: keeps{among.en}: “{condition.column}” never is {' or '.join(english)}.",
    )


def _remedy(source: Source, condition: Condition, values: Counter[str]) -> Words:
    shown = [value for value, _ in values.most_common() if len(value) <= _MOST_SHOWN and "@" not in value]
    if not values:
        return Words("Cette colonne y est vide : nommez-en une autre.", "That column is empty: name another one.")
    if len(values) > MOST_VALUES or not shown or condition.column in source.ids.values():
        return Words("Comparez is: avec les valeurs de la colonne.", "Compare is: with the values of the column.")
    french = ", ".join(f"« {value} »" for value in shown[:_MOST_TOLD])
    english = ", ".join(f"“{value}”" for value in shown[:_MOST_TOLD])
    return Words(f"On y trouve {french} : corrigez is:.", f"It holds {english}: mend is:.")
