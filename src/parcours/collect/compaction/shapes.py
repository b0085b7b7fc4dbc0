"""The typed shapes that find what is wanted in an event, so that the parser passes over all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from parcours.collect.compaction.reasons import Reason, UnusableError, not_a_member, why_unreadable
from parcours.collect.compaction.splitting import NOTHING, Piece
from parcours.collect.compaction.wants import CHOICES, CONSENT, CONTEXT, CONTEXT_TRAITS, PROPERTIES, TRAITS, Path

CALL_MEMBERS = ("type", "event", "name", "messageId", "userId", "anonymousId", "previousId", "groupId")
TIME_MEMBERS = ("timestamp", "originalTimestamp", "sentAt")

_HOMES: tuple[Path, ...] = (CHOICES, CHOICES[:-1], CONTEXT_TRAITS, (CONTEXT,), (PROPERTIES,), (TRAITS,), ())
"""The objects that are opened, the innermost first."""

_STEP = 256
_FAULTS = (msgspec.DecodeError, UnicodeError, RecursionError, UnusableError)
_RAW = (msgspec.Raw, NOTHING)
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.encode


class Shape:
    """One object of an event: a struct with a member for each wanted name.

    Args:
        keys: The names whose values are wanted.
        typed: Names whose members have a type and a default of their own.
        default: What stands for a name that is absent.
    """

    def __init__(self, keys: Iterable[str], typed: dict[str, tuple[Any, Any]], default: Any = None) -> None:
        # msgspec knows no names with quotes or control characters; nothing is ever found under one.
        self.keys = tuple(key for key in dict.fromkeys(keys) if _can_be_named(key) and key not in typed)
        members = [(key, Any, default) for key in self.keys]
        members += [(key, type, absent) for key, (type, absent) in typed.items()]
        self._attributes = {key: f"m{number}" for number, (key, _, _) in enumerate(members)}
        fields = [
            (self._attributes[key], type, msgspec.field(name=key, default=absent)) for key, type, absent in members
        ]
        self.struct = msgspec.defstruct("Shape", fields, gc=False)
        self.decode = msgspec.json.Decoder(self.struct).decode
        self.empty: Any = self.struct()

    def attribute(self, key: str) -> str | None:
        """Return the attribute that holds ``key``; nothing when it can hold no such name."""
        return self._attributes.get(key)

    def column(self, objects: Sequence[Any], key: str) -> list[Any]:
        """Return the member ``key`` of each of ``objects``."""
        attribute = self._attributes.get(key)
        return [None] * len(objects) if attribute is None else list(map(attrgetter(attribute), objects))


class Shapes:
    """The shapes of the events of one source.

    Args:
        paths: All that is wanted.

    Attributes:
        unread: Stands for the consent object of an event where that is of another shape: it grants nothing.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        wanted = tuple(paths)
        under: dict[Path, list[str]] = {home: [] for home in _HOMES}
        for path in wanted:
            home = next(home for home in _HOMES if path[: len(home)] == home and len(path) > len(home))
            under[(TRAITS,) if home == CONTEXT_TRAITS else home].append(path[len(home)])
        self.properties = Shape(under[PROPERTIES,], {})
        self.traits = Shape(under[TRAITS,], {})
        self.choices = Shape(under[CHOICES], {})
        self.consent = Shape(under[CHOICES[:-1]], {CHOICES[-1]: (self.choices.struct | None, None)})
        self.unread = self.consent.struct()
        # An item's own member of the context hides the envelope's even when it is null, so absent must not be null.
        consent = (self.consent.struct | None | msgspec.UnsetType, msgspec.UNSET)
        self.context = Shape(under[CONTEXT,], {TRAITS: _RAW, CONSENT: consent}, default=msgspec.UNSET)
        typed = {CONTEXT: (self.context.struct | None, None), PROPERTIES: _RAW, TRAITS: _RAW}
        self.event = Shape((*CALL_MEMBERS, *TIME_MEMBERS, *under[()]), typed)

    def read_events(self, items: Sequence[Piece]) -> tuple[list[Any], dict[int, Reason]]:
        """Return each item as an event, an empty one where it cannot be read, with the reasons by place."""
        return _read_all(items, self.event, self._mend_event)

    def read_members(self, shape: Shape, pieces: Sequence[Piece], name: str) -> tuple[list[Any], dict[int, Reason]]:
        """Return the member ``name`` of each event; what is absent, null or an empty array is empty."""

        def mend(piece: Piece) -> Any:
            if _is_empty(piece):
                return shape.empty
            if not _is_object(piece):
                raise UnusableError(not_a_member(name))
            return shape.decode(piece)

        filled = [place for place, piece in enumerate(pieces) if len(piece)]
        if len(filled) == len(pieces):
            return _read_all(pieces, shape, mend)
        found, faults = _read_all([pieces[place] for place in filled], shape, mend)
        objects = [shape.empty] * len(pieces)
        for place, one in zip(filled, found, strict=True):
            objects[place] = one
        return objects, {filled[place]: reason for place, reason in faults.items()}

    def read_context(self, piece: Piece) -> Any | None:
        """Return the context of an envelope; nothing when there is none or it is no object."""
        try:
            return _decode_one(piece, self.context, self._mend_context) if len(piece) else None
        except _FAULTS:
            return None

    def _mend_event(self, item: Piece) -> Any:
        """Read an event whose context is an empty array, as PHP writes an object without members, or is odd inside."""
        members = _decode_members(item)
        context = members.pop(CONTEXT, msgspec.Raw(b"null"))
        event = self.event.decode(_encode(members))
        if not _is_empty(context):
            if not _is_object(context):
                raise UnusableError(not_a_member(CONTEXT))
            setattr(event, self.event.attribute(CONTEXT) or "", _decode_one(context, self.context, self._mend_context))
        return event

    def _mend_context(self, piece: Piece) -> Any:
        """Read a context whose consent object has another shape; anything else that is wrong with it stays so."""
        members = _decode_members(piece)
        members.pop(CONSENT, None)
        context = self.context.decode(_encode(members))
        setattr(context, self.context.attribute(CONSENT) or "", self.unread)
        return context


def _read_all(
    pieces: Sequence[Piece], shape: Shape, mend: Callable[[Piece], Any]
) -> tuple[list[Any], dict[int, Reason]]:
    """Decode all pieces, a step at a time; only in a step that holds a faulty one is each looked at by itself."""
    objects: list[Any] = []
    faults: dict[int, Reason] = {}
    for start in range(0, len(pieces), _STEP):
        step = pieces[start : start + _STEP]
        try:
            objects += list(map(shape.decode, step))
        except _FAULTS:
            for place, piece in enumerate(step, start):
                try:
                    objects.append(_decode_one(piece, shape, mend))
                except _FAULTS as fault:
                    objects.append(shape.empty)
                    faults[place] = why_unreadable(fault, bytes(piece))
    return objects, faults


def _decode_one(piece: Piece, shape: Shape, mend: Callable[[Piece], Any]) -> Any:
    try:
        return shape.decode(piece)
    except msgspec.ValidationError:
        return mend(piece)


def _is_object(piece: Piece) -> bool:
    return bytes(piece).lstrip()[:1] == b"{"


def _is_empty(piece: Piece) -> bool:
    """Return whether a member says nothing: null, or an array without items."""
    text = bytes(piece).strip()
    return text == b"null" or (text[:1] == b"[" and not text[1:-1].strip())


def _can_be_named(key: str) -> bool:
    return not any(char in '"\\' or char < " " for char in key)
