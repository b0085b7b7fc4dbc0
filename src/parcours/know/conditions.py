"""Conditions that nothing fulfils: events the blueprint narrows by values which none of them has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from parcours.blueprint.records import Blueprint, EventMatch
from parcours.know.mapping import ABSENT, Chunk, EventMap
from parcours.know.omissions import Unmet
from parcours.words import Words

MOST_VALUES = 5
REVENUE = Words(fr="Revenu", en="Revenue")


class Conditions:
    """Watches chunk after chunk; a condition is let go as soon as one event fulfils it."""

    def __init__(self, blueprint: Blueprint, events: EventMap) -> None:
        self._events = events
        self._unmet = [one for one in _list_matches(blueprint) if one[2].where]
        self._named: Counter[str] = Counter()
        self._values: dict[tuple[str, str], Counter[int]] = {}

    def watch(self, chunk: Chunk) -> None:
        """Take further events in."""
        self._unmet = [one for one in self._unmet if not self._events.matches(chunk, one[2]).any()]
        for name in {match.name for _, _, match in self._unmet}:
            rows = np.flatnonzero(chunk.name == self._events.names.find(name))
            self._named[name] += len(rows)
            for field in {field for _, _, match in self._unmet if match.name == name for field in match.where}:
                codes = chunk.categories.get(field)
                if codes is None or not len(rows):
                    continue
                found, counts = np.unique(codes[rows], return_counts=True)
                held = self._values.setdefault((name, field), Counter())
                held.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))

    def unmet(self) -> tuple[Unmet, ...]:
        """Return the conditions that no event fulfilled although events of their name are there."""
        return tuple(
            Unmet(
                table,
                label,
                match.name,
                self._named[match.name],
                match.where,
                {field: self._commonest(match.name, field) for field in match.where},
            )
            for table, label, match in self._unmet
            if self._named[match.name]
        )

    def _commonest(self, name: str, field: str) -> tuple[str, ...]:
        values = self._events.categories[field].values
        held = self._values.get((name, field), Counter())
        return tuple(values[code] for code, _ in held.most_common() if code != ABSENT)[:MOST_VALUES]


def _list_matches(blueprint: Blueprint) -> Iterator[tuple[str, Words, EventMatch]]:
    """Yield every event that the blueprint names, with the table it fills and whose it is."""
    for touchpoint in blueprint.touchpoints:
        for match in touchpoint.events:
            yield "touches", touchpoint.label, match
        if touchpoint.experience:
            yield "answers", touchpoint.label, touchpoint.experience.event
    for operation in blueprint.operations:
        for match in operation.events:
            yield "operations", operation.label, match
        if operation.measure.until:
            yield "operations", operation.label, operation.measure.until
    if blueprint.money:
        yield "touches", REVENUE, blueprint.money.event
