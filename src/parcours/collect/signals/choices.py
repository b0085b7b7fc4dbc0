"""Signals into choices: what events say of each purpose, column by column, with the raw string as evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint, Purpose, Signals
from parcours.collect.rows import Ints
from parcours.collect.signals.bits import UndecodableError
from parcours.collect.signals.consent_mode import decode_consent_mode
from parcours.collect.signals.tcf import TcString, decode_tcf, grants

T = TypeVar("T")
READ = "read"
MOST_EVIDENCE = 32_768
_MOST_KEPT = 50_000


class Said(msgspec.Struct, frozen=True):
    """What the signals of some events say.

    Attributes:
        choices: By purpose, whether each event grants it; null where no signal speaks of it.
        evidence: The raw strings of each event, with the verdict on each; null where there is none.
        made_ms: When the choices were made, 0 where no signal tells.
        faults: How many strings could not be decoded, by reason: each counts as a refusal.
    """

    choices: dict[str, pa.Array]
    evidence: pa.Array
    made_ms: Ints
    faults: Counter[str]


class SignalReader:
    """Reads the signals that a blueprint's purposes name; it remembers strings, which come with every event."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._purposes = [(purpose, purpose.signals) for purpose in blueprint.purposes if purpose.signals]
        self._tcf = _Decoded("tcf", decode_tcf)
        self._mode = _Decoded("consent_mode", decode_consent_mode)

    @property
    def wants_tcf(self) -> bool:
        """Whether any purpose is read from TCF strings."""
        return any(signals.tcf for _, signals in self._purposes)

    @property
    def wants_consent_mode(self) -> bool:
        """Whether any purpose is read from Consent Mode."""
        return any(signals.consent_mode for _, signals in self._purposes)

    def read(self, strings: Sequence[Any] | None, modes: Sequence[Any] | None, count: int) -> Said:
        """Return what TCF ``strings`` and Consent Mode objects say, one an event, ``None`` where there is none."""
        choices: dict[str, list[pa.Array]] = {}
        told, made_ms, faults = [], np.zeros(count, np.int64), Counter[str]()
        if strings is not None and self.wants_tcf:
            places, found = self._tcf.read(strings)
            for purpose, signals in self._purposes:
                if signals.tcf:
                    choices.setdefault(purpose.id, []).append(
                        _spread(places, [_grants_tcf(one, purpose, signals) for one in found])
                    )
            told.append(_spread(places, [one.evidence for one in found], pa.string()))
            made = [one.value.updated_ms if one.value else 0 for one in found]
            made_ms = np.array([*made, 0], np.int64)[places]
            faults += _count(places, found)
        if modes is not None and self.wants_consent_mode:
            places, found_modes = self._mode.read(modes)
            for purpose, signals in self._purposes:
                if signals.consent_mode:
                    granted = [_grants_mode(one.value, signals) for one in found_modes]
                    choices.setdefault(purpose.id, []).append(_spread(places, granted))
            told.append(_spread(places, [one.evidence for one in found_modes], pa.string()))
            faults += _count(places, found_modes)
        return Said(
            {purpose: combine(columns) for purpose, columns in choices.items()}, _join(told, count), made_ms, faults
        )


def combine(columns: Sequence[pa.Array]) -> pa.Array:
    """Return the strictest of several columns of choices: one refusal refuses, and silence says nothing."""

    def strictest(one: pa.Array, other: pa.Array) -> pa.Array:
        both = pc.and_(pc.fill_null(one, True), pc.fill_null(other, True))
        return pc.if_else(pc.or_(one.is_valid(), other.is_valid()), both, pa.scalar(None, pa.bool_()))

    return reduce(strictest, columns)


def require_all(columns: Sequence[pa.Array]) -> pa.Array:
    """Return whether every one of several categories is granted, where any of them is told: a missing one is not."""
    said = reduce(pc.or_, [column.is_valid() for column in columns])
    granted = reduce(pc.and_, [pc.fill_null(column, False) for column in columns])
    return pc.if_else(said, granted, pa.scalar(None, pa.bool_()))


class _Read(msgspec.Struct, Generic[T], frozen=True):
    """One raw signal: what it says, nothing where it could not be decoded; and the evidence."""

    value: T | None
    reason: str
    evidence: str


class _Decoded(Generic[T]):
    """Raw signals of one kind that were decoded before."""

    def __init__(self, kind: str, decode: Callable[[Any], T]) -> None:
        self._kind = kind
        self._decode = decode
        self._kept: dict[str, _Read[T]] = {}

    def read(self, raw: Sequence[Any]) -> tuple[Ints, list[_Read[T]]]:
        """Return the place of each raw signal among the distinct ones, and these; the last place is that of none."""
        if len(self._kept) > _MOST_KEPT:
            self._kept = {}
        distinct: dict[str, int] = {}
        found: list[_Read[T]] = []
        places = np.full(len(raw), -1, np.int64)
        for row, one in enumerate(raw):
            if one is None:
                continue
            text = one if type(one) is str else _write(one)
            if text not in distinct:
                distinct[text] = len(found)
                found.append(self._kept.get(text) or self._learn(text, one))
            places[row] = distinct[text]
        return places, found

    def _learn(self, text: str, raw: Any) -> _Read[T]:
        value, reason = None, READ
        try:
            value = self._decode(raw)
        except UndecodableError as fault:
            reason = fault.reason
        self._kept[text] = read = _Read(value, reason, f"{self._kind}/{reason} {text[:MOST_EVIDENCE]}")
        return read


def _grants_tcf(read: _Read[TcString], purpose: Purpose, signals: Signals) -> bool:
    interest = purpose.basis != "consent"
    return read.value is not None and grants(read.value, signals.tcf, signals.tcf_vendor, interest)


def _grants_mode(said: dict[str, bool] | None, signals: Signals) -> bool:
    return said is not None and all(said.get(signal, False) for signal in signals.consent_mode)


def _spread(places: Ints, values: list[Any], kind: pa.DataType | None = None) -> pa.Array:
    return pa.array([*values, None], kind or pa.bool_()).take(pa.array(places % (len(values) + 1)))


def _count(places: Ints, found: Sequence[_Read[Any]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for place, times in zip(*np.unique(places[places >= 0], return_counts=True), strict=True):
        if found[place].value is None:
            counts[found[place].reason] += int(times)
    return counts


def _join(told: list[pa.Array], count: int) -> pa.Array:
    if not told:
        return pa.nulls(count, pa.string())
    if len(told) == 1:
        return told[0]
    both = pc.binary_join_element_wise(*told, "\n", null_handling="skip")
    said = reduce(pc.or_, [column.is_valid() for column in told])
    return pc.if_else(said, both, pa.scalar(None, pa.string()))


def _write(raw: Any) -> str:
    try:
        return msgspec.json.encode(raw).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        return f"({type(raw).__name__})"
