"""The typed shapes that find what is wanted in an event, so that the parser passes over all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from parcours.collect.compaction.reasons import Reason, UnusableError, not_a_member, why_unreadable
from parcours.collect.compaction.splitting import NOTHING, Piece
from parcours.collect.compaction.wants import CONTEXT, PROPERTIES, TRAITS, Path

CALL_MEMBERS = ("type", "event", "name", "messageId", "userId", "anonymousId", "previousId", "groupId")
TIME_MEMBERS = ("timestamp", "originalTimestamp", "sentAt")

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
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        wanted = tuple(paths)
        under: dict[str, list[str]] = {PROPERTIES: [], TRAITS: [], CONTEXT: []}
        top = [path[0] for path in wanted if len(path) == 1]
        for path in wanted:
            if len(path) > 1 and path[:2] != (CONTEXT, TRAITS):
                under[path[0]].append(path[1])
        under[TRAITS] += [path[2] for path in wanted if path[:2] == (CONTEXT, TRAITS)]
        self.properties = Shape(under[PROPERTIES], {})
        self.traits = Shape(under[TRAITS], {})
        # An item's own member of the context hides the envelope's even when it is null, so absent must not be null.
        self.context = Shape(under[CONTEXT], {TRAITS: _RAW}, default=msgspec.UNSET)
        context = (self.context.struct | None, None)
        typed = {CONTEXT: context, PROPERTIES: _RAW, TRAITS: _RAW}
        self.event = Shape((*CALL_MEMBERS, *TIME_MEMBERS, *top), typed)
        self._decode_event = msgspec.json.Decoder(self.event.struct).decode
        self._decode_context = msgspec.json.Decoder(self.context.struct).decode
        self._decode_properties = msgspec.json.Decoder(self.properties.struct).decode
        self._decode_traits = msgspec.json.Decoder(self.traits.struct).decode

    def read_events(self, items: Sequence[Piece]) -> tuple[list[Any], dict[int, Reason]]:
        """Return each item as an event, an empty one where it cannot be read, with the reasons by place."""
        return _read_all(items, self._decode_event, self._mend_event, self.event.empty)

    def read_properties(self, pieces: Sequence[Piece]) -> tuple[list[Any], dict[int, Reason]]:
        """Return the properties of each event; what is absent, null or an empty array is empty."""
        return _read_members(pieces, self._decode_properties, self.properties.empty, PROPERTIES)

    def read_traits(self, pieces: Sequence[Piece]) -> tuple[list[Any], dict[int, Reason]]:
        """Return the traits of each event, as `read_properties` does."""
        return _read_members(pieces, self._decode_traits, self.traits.empty, TRAITS)

    def read_context(self, piece: Piece) -> Any | None:
        """Return the context of an envelope; nothing when there is none or it is no object."""
        try:
            return self._decode_context(piece) if len(piece) else None
        except _FAULTS:
            return None

    def _mend_event(self, item: Piece) -> Any:
        """Read an event whose context is an empty array, as PHP writes an object without members."""
        members = _decode_members(item)
        context = members.get(CONTEXT)
        if context is None or _is_object(context):
            return self._decode_event(item)
        if not _is_empty(context):
            raise UnusableError(not_a_member(CONTEXT))
        del members[CONTEXT]
        return self._decode_event(_encode(members))


def _read_members(
    pieces: Sequence[Piece], decode: Callable[[Piece], Any], empty: Any, name: str
) -> tuple[list[Any], dict[int, Reason]]:
    def mend(piece: Piece) -> Any:
        if _is_empty(piece):
            return empty
        if not _is_object(piece):
            raise UnusableError(not_a_member(name))
        return decode(piece)

    filled = [place for place, piece in enumerate(pieces) if len(piece)]
    if len(filled) == len(pieces):
        return _read_all(pieces, decode, mend, empty)
    found, faults = _read_all([pieces[place] for place in filled], decode, mend, empty)
    objects = [empty] * len(pieces)
    for place, one in zip(filled, found, strict=True):
        objects[place] = one
    return objects, {filled[place]: reason for place, reason in faults.items()}


def _read_all(
    pieces: Sequence[Piece], decode: Callable[[Piece], Any], mend: Callable[[Piece], Any], empty: Any
) -> tuple[list[Any], dict[int, Reason]]:
    """Decode all pieces, a step at a time; only in a step that holds a faulty one is each looked at by itself."""
    objects: list[Any] = []
    faults: dict[int, Reason] = {}
    for start in range(0, len(pieces), _STEP):
        step = pieces[start : start + _STEP]
        try:
            objects += list(map(decode, step))
        except _FAULTS:
            for place, piece in enumerate(step, start):
                try:
                    objects.append(_decode_one(piece, decode, mend))
                except _FAULTS as fault:
                    objects.append(empty)
                    faults[place] = why_unreadable(fault, bytes(piece))
    return objects, faults


def _decode_one(piece: Piece, decode: Callable[[Piece], Any], mend: Callable[[Piece], Any]) -> Any:
    try:
        return decode(piece)
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
