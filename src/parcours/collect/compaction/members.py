"""The events of several deliveries, opened: any member of all of them as one list, envelope and item merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from parcours.collect.compaction.reasons import Reason
from parcours.collect.compaction.shapes import Shape, Shapes
from parcours.collect.compaction.splitting import Piece, Split
from parcours.collect.compaction.wants import CHOICES, CONSENT, CONTEXT, CONTEXT_TRAITS, PROPERTIES, TRAITS, Path
from parcours.collect.journal.delivery import Delivery
from parcours.collect.rows import Ints

_SCALARS = frozenset({str, int, float, type(None)})
_WHOLE = ((PROPERTIES,), (TRAITS,), (CONTEXT,), CONTEXT_TRAITS, CHOICES[:-1], CHOICES)
"""Objects that are opened, and are no values themselves."""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A delivery taken apart: its journal batch, the place of its first event in it, and its pieces."""

    batch_no: int
    place: int
    delivery: Delivery
    parts: Split


def number_items(taken: Sequence[Taken]) -> tuple[Ints, Ints]:
    """Return for each item the place in ``taken`` of its delivery, and its own place in that one."""
    counts = np.fromiter((len(one.parts.items) for one in taken), np.int64, len(taken))
    of = np.repeat(np.arange(len(taken)), counts)
    return of, np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)


class Members:
    """The events of ``taken``, one after another; what cannot be opened is empty and stands in ``faults``.

    Attributes:
        items: Each event as it was written.
        of: The place in ``taken`` of each event's delivery.
        within: The place of each event in its delivery.
        faults: Why some cannot be opened, by their place here.
        properties, traits, context_traits: The raw members, empty where there is none.
        unread_choices: The events whose consent object has another shape.
    """

    def __init__(self, shapes: Shapes, taken: Sequence[Taken]) -> None:
        self.taken = taken
        self.items: list[Piece] = [item for one in taken for item in one.parts.items]
        self.of, self.within = number_items(taken)
        self.faults: dict[int, Reason] = {}
        self._shapes = shapes
        self._events, faults = shapes.read_events(self.items)
        self._note(faults)
        self._contexts = self._merge_contexts()
        self.properties: list[Piece] = shapes.event.column(self._events, PROPERTIES)
        self.traits: list[Piece] = shapes.event.column(self._events, TRAITS)
        self.context_traits: list[Piece] = shapes.context.column(self._contexts, TRAITS)
        consents = shapes.context.column(self._contexts, CONSENT)
        self.unread_choices = [row for row, one in enumerate(consents) if one is shapes.unread]
        consents = [one or shapes.consent.empty for one in consents]
        choices = shapes.consent.column(consents, CHOICES[-1])
        self._objects: dict[Path, tuple[Shape, list[Any]]] = {
            (): (shapes.event, self._events),
            (CONTEXT,): (shapes.context, self._contexts),
            CHOICES[:-1]: (shapes.consent, consents),
            CHOICES: (shapes.choices, [one or shapes.choices.empty for one in choices]),
        }
        self._open((PROPERTIES,), shapes.properties, self.properties)
        self._open((TRAITS,), shapes.traits, self.traits)
        self._open(CONTEXT_TRAITS, shapes.traits, self.context_traits)
        self._values: dict[Path, list[Any]] = {}

    def __len__(self) -> int:
        return len(self.items)

    def member(self, name: str) -> list[Any]:
        """Return an event's own member ``name`` for each event."""
        return self._shapes.event.column(self._events, name)

    def values(self, path: Path) -> list[Any] | None:
        """Return what stands at ``path`` in each event; nothing at all when no event can have it."""
        if path not in self._values:
            found = self._find(path)
            if found is None:
                return None
            self._values[path] = found
        return self._values[path]

    def first_of(self, paths: Sequence[Path], lenient: bool) -> list[Any] | None:
        """Return for each event what stands at the first of ``paths`` that is filled; nothing when none ever is.

        With ``lenient`` a value that is neither a text nor a number counts as none.
        """
        chosen: list[Any] | None = None
        for path in paths:
            values = self.values(path)
            if values is None:
                continue
            if lenient and not set(map(type, values)) <= _SCALARS:
                values = [value if type(value) in _SCALARS else None for value in values]
            if chosen is None:
                chosen = values
            else:
                chosen = [one if one is not None else other for one, other in zip(chosen, values, strict=True)]
        return chosen

    def _find(self, path: Path) -> list[Any] | None:
        home, name = path[:-1], path[-1]
        if path in _WHOLE:
            return None
        if home in self._objects:
            shape, objects = self._objects[home]
            values = shape.column(objects, name) if shape.attribute(name) else None
            if values is not None and home == (CONTEXT,):
                return [None if value is msgspec.UNSET else value for value in values]
            return values
        outer = self.values(home) if len(home) > 1 else None
        return outer and [value.get(name) if type(value) is dict else None for value in outer]

    def _open(self, home: Path, shape: Shape, pieces: Sequence[Piece]) -> None:
        """Open one member of all events, unless none has it."""
        if any(map(len, pieces)):
            objects, faults = self._shapes.read_members(shape, pieces, home[-1])
            self._objects[home] = (shape, objects)
            self._note(faults)

    def _note(self, faults: dict[int, Reason]) -> None:
        self.faults = {**faults, **self.faults}

    def _merge_contexts(self) -> list[Any]:
        """Return each event's context, with what its envelope's says beside it."""
        shape = self._shapes.context
        contexts = [one or shape.empty for one in self._shapes.event.column(self._events, CONTEXT)]
        attributes = [attribute for name in (*shape.keys, TRAITS, CONSENT) if (attribute := shape.attribute(name))]
        place = 0
        for one in self.taken:
            count = len(one.parts.items)
            outer = self._shapes.read_context(one.parts.context) if len(one.parts.context) else None
            if outer is not None:
                for row in range(place, place + count):
                    contexts[row] = _merge(contexts[row], outer, attributes)
            place += count
        return contexts


def _merge(inner: Any, outer: Any, attributes: Sequence[str]) -> Any:
    """Return the context ``inner`` with what ``outer`` says of the members that it leaves out."""
    kept = {}
    for attribute in attributes:
        value = getattr(inner, attribute)
        absent = value is msgspec.UNSET or (isinstance(value, msgspec.Raw) and not len(value))
        kept[attribute] = getattr(outer, attribute) if absent else value
    return type(inner)(**kept)
