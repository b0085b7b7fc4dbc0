"""The tracking plan: what the blueprint expects of each event, compiled once, and which events do not keep to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint, EventMatch, FieldKind
from parcours.collect.compaction.reasons import Reason, speakable
from parcours.collect.rows import Flags, Ints
from parcours.words import Words

ALWAYS_KNOWN = ("Segment Consent Preference Updated",)
"""What Segment's consent tools send by themselves: it carries a person's choices, whatever the blueprint names."""

_MOST_SUGGESTIONS = 20
"""Names for which a near one is looked for, at one reading: that takes longer than reading a thousand events."""

_MOST_COMPARED = 200
"""Characters of a name that are compared."""

_EXPECTED: dict[FieldKind | str, Words] = {
    "number": Words("un nombre", "a number"),
    "category": Words("un texte, un nombre ou un booléen", "a text, a number or a boolean"),
    "text": Words("un texte", "a text"),
    "personal": Words("un texte ou un nombre", "a text or a number"),
    "object": Words("un texte ou un nombre", "a text or a number"),
}


class Need(msgspec.Struct, frozen=True):
    """A field that an event of this name must fill, where its other fields meet ``where``.

    ``calls_too`` says whether that holds of calls that have no name of their own, such as a page.
    """

    field: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    calls_too: bool = True


class Plan:
    """What the blueprint expects.

    Args:
        blueprint: Where events are named.
        more: Names that are known besides: those that the source gives itself.
    """

    def __init__(self, blueprint: Blueprint, more: Iterable[str] = ()) -> None:
        matches = blueprint.matches()
        self._kinds = blueprint.field_kinds()
        self.named = sorted({match.name for match in matches})
        self._known = pa.array(sorted({*self.named, *more, *ALWAYS_KNOWN}), pa.string())
        self._needs = _list_needs(blueprint, matches)

    def find_unknown(self, names: pa.Array) -> Flags:
        """Return which ``names`` nobody has named; null is none."""
        known = pc.or_(pc.is_in(names, self._known), pc.is_null(names))
        return np.asarray(pc.invert(known))

    def find_missing(
        self, names: pa.Array, columns: Mapping[str, pa.Array], tracked: Flags
    ) -> Iterable[tuple[Ints, str, str]]:
        """Yield rows with the name of their event and a field that they should fill and do not.

        Args:
            names: The name of each event.
            columns: The fields, ``field_<id>``.
            tracked: Which events were named by whoever sent them.
        """
        if not self._needs:
            return
        coded = pc.dictionary_encode(names)
        codes = np.asarray(pc.fill_null(coded.indices, -1))
        for code, name in enumerate(coded.dictionary.to_pylist()):
            if name not in self._needs:
                continue
            rows = np.flatnonzero(codes == code)
            for need in self._needs[name]:
                empty = rows[np.asarray(columns[f"field_{need.field}"].is_null())[rows]]
                if not need.calls_too:
                    empty = empty[tracked[empty]]
                missing = _meeting(empty, need, columns)
                if len(missing):
                    yield missing, name, need.field

    def unknown(self, name: str, near: Nearest) -> Reason:
        """Return why an event of this name is refused."""
        shown, told = speakable(name), near.tell(name)
        return Reason(
            "unknown_event",
            "plan.unknown_event",
            Words(
                f"Le plan n'emploie pas l'événement « {shown} ». {told.fr}Nommez-le dans le plan ou corrigez l'envoi.",
                f"The blueprint does not use the event “{shown}”. {told.en}Name it there, or mend what sends it.",
            ),
        )

    def missing(self, name: str, field: str) -> Reason:
        """Return why an event is refused that leaves a field empty."""
        expected = _EXPECTED[self._kinds[field]]
        return Reason(
            "field_missing",
            "plan.field_missing",
            Words(
                f"L'événement « {speakable(name)} » n'a pas de champ « {field} », et ne veut rien dire sans lui. "
                f"Envoyez-y {expected.fr}.",
                f"The event “{speakable(name)}” has no field “{field}”, and means nothing without it. "
                f"Send {expected.en} in it.",
            ),
        )

    def wrong_type(self, name: str, column: str) -> Reason:
        """Return why an event is refused whose ``column`` (``field_<id>`` or ``object_<type>``) is of another kind."""
        kind, _, field = column.partition("_")
        expected = _EXPECTED[self._kinds[field] if kind == "field" else "object"]
        event = (
            Words(f"de l'événement « {speakable(name)} » ", f"of the event “{speakable(name)}” ") if name else Words()
        )
        return Reason(
            "wrong_type",
            "plan.wrong_type",
            Words(
                f"Le champ « {field} » {event.fr}n'est pas du bon type. Envoyez-y {expected.fr}.",
                f"The field “{field}” {event.en}is of the wrong type. Send {expected.en} in it.",
            ),
        )


class Nearest:
    """The nearest of known names, looked for a few times only.

    Args:
        names: Those that are known.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._told: dict[str, Words] = {}

    def tell(self, name: str) -> Words:
        """Return a question that names the nearest; nothing when none is near, or too many have been looked for."""
        if name not in self._told:
            if len(self._told) >= _MOST_SUGGESTIONS:
                return Words()
            near = get_close_matches(name[:_MOST_COMPARED], self._names, n=1)
            told = Words(f"Vouliez-vous dire « {near[0]} » ? ", f"Did you mean “{near[0]}”? ") if near else Words()
            self._told[name] = told
        return self._told[name]


def _meeting(rows: Ints, need: Need, columns: Mapping[str, pa.Array]) -> Ints:
    """Return those of ``rows`` whose other fields have the values that the need asks for."""
    for field, values in need.where:
        if not len(rows):
            break
        met = pc.is_in(columns[f"field_{field}"].take(pa.array(rows)), pa.array(values, pa.string()))
        rows = rows[np.asarray(met)]
    return rows


def _list_needs(blueprint: Blueprint, matches: Sequence[EventMatch]) -> dict[str, tuple[Need, ...]]:
    found: dict[str, list[Need]] = {}

    def need(match: EventMatch, field: str) -> None:
        where = tuple(sorted((name, values) for name, values in match.where.items() if name != field))
        found.setdefault(match.name, []).append(Need(field, where))

    for touchpoint in blueprint.touchpoints:
        if touchpoint.experience:
            need(touchpoint.experience.event, touchpoint.experience.field)
    for operation in blueprint.operations:
        for match in operation.events if operation.measure.field else ():
            need(match, operation.measure.field or "")
    if blueprint.money:
        need(blueprint.money.event, blueprint.money.field)
    by_name: dict[str, list[Any]] = {}
    for match in matches:
        by_name.setdefault(match.name, []).append(match.where)
    for name, conditions in by_name.items():
        # A field that every match asks for decides what the event is; without it the event is nothing.
        for field in sorted(set.intersection(*(set(where) for where in conditions))):
            found.setdefault(name, []).insert(0, Need(field, calls_too=False))
    return {name: tuple(dict.fromkeys(needs)) for name, needs in found.items()}
