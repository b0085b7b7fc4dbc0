"""The door between collection and what is kept: collect says what it hands over, `know` implements it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec
import pyarrow as pa

from parcours.words import Words

IDENTIFIERS = ("user", "mail", "phone", "device")
"""Identifier types, strongest first."""


def raw_schema(kinds: dict[str, str], objects: tuple[str, ...], purposes: tuple[str, ...]) -> pa.Schema:
    """Return the shape of a batch of raw events, before the door.

    One row an event: ``source, row_key, line, name, occurred_ms`` (UTC, corrected), ``original_ms`` and ``sent_ms``
    (the client's own clock, null where it told none), then ``id_<type>`` raw identifiers,
    ``object_<type>`` raw object ids, ``field_<id>`` declared properties (number: float64, category, text and
    personal: string) and ``consent_<purpose>`` choices (null: nothing recorded). Of all choices on an event
    ``choice_notice`` names the notice that was shown (``id@version/language``), ``choice_evidence`` holds the raw
    strings that they were read from, and ``choice_made_ms`` says when they were made; each is null where nothing tells.
    """
    columns: list[tuple[str, pa.DataType]] = [
        ("source", pa.string()),
        ("row_key", pa.int64()),
        ("line", pa.int64()),
        ("name", pa.string()),
        ("occurred_ms", pa.int64()),
        ("original_ms", pa.int64()),
        ("sent_ms", pa.int64()),
    ]
    columns += [(f"id_{kind}", pa.string()) for kind in IDENTIFIERS]
    columns += [(f"object_{kind}", pa.string()) for kind in objects]
    for field, kind in sorted(kinds.items()):
        columns.append((f"field_{field}", pa.float64() if kind == "number" else pa.string()))
    columns += [(f"consent_{purpose}", pa.bool_()) for purpose in purposes]
    columns += [("choice_notice", pa.string()), ("choice_evidence", pa.string()), ("choice_made_ms", pa.int64())]
    return pa.schema(columns)


def part_schema(kinds: dict[str, str], objects: tuple[str, ...]) -> pa.Schema:
    """Return the shape of a part, after the door: pseudonyms outside, raw values in the vault.

    ``subject`` is the keyed pseudonym (63 bits) of the event's own strongest identifier, null for an event
    about nobody; ``permitted`` holds one bit a purpose, as stamped at the door; ``object_<type>`` are keyed
    pseudonyms; ``text_<id>`` points to the vault, where personal properties stay too. ``bucket`` is 0..15, a frozen
    function of ``subject`` (of the first object where nobody is named).
    """
    columns: list[tuple[str, pa.DataType]] = [
        ("event_no", pa.int64()),
        ("source", pa.string()),
        ("row_key", pa.int64()),
        ("name", pa.string()),
        ("occurred_ms", pa.int64()),
        ("original_ms", pa.int64()),
        ("sent_ms", pa.int64()),
        ("received_ms", pa.int64()),
        ("subject", pa.int64()),
        ("permitted", pa.int64()),
        ("bucket", pa.int8()),
    ]
    columns += [(f"object_{kind}", pa.int64()) for kind in objects]
    for field, kind in sorted(kinds.items()):
        if kind == "text":
            columns.append((f"text_{field}", pa.int64()))
        elif kind != "personal":
            columns.append((f"field_{field}", pa.float64() if kind == "number" else pa.string()))
    return pa.schema(columns)


class Refusal(msgspec.Struct, frozen=True):
    """A raw event that the door does not let in: its row in the batch, and why."""

    row: int
    code: str
    reason: Words


class Admission(msgspec.Struct, frozen=True):
    """What the door made of a batch: part rows (``event_no`` as numbered by the caller), refusals, discards.

    ``discarded`` counts events with no basis for any purpose: storing is processing, so they are not kept.
    """

    rows: pa.Table
    refusals: tuple[Refusal, ...] = ()
    discarded: int = 0


class Counted(msgspec.Struct, frozen=True):
    """What became of raw events of the audience space: the rows of the batch that are kept there, and refusals."""

    kept: tuple[int, ...]
    refusals: tuple[Refusal, ...] = ()


class Door(Protocol):
    """What stands between raw events and parts."""

    def admit(self, batch: pa.Table, first_event_no: int, received_ms: int) -> Admission:
        """Turn raw events (`raw_schema`) into part rows (`part_schema`), numbered from ``first_event_no``.

        Event ``i`` of the batch gets ``first_event_no + i``, whatever is refused or discarded before it. A column
        ``received_ms`` that the batch may have beside its own says when each event came in, instead of ``received_ms``.
        Identifiers become keyed pseudonyms and are sealed in the vault with free text; identifiers seen together
        become edges; recorded choices go to the consent ledger.
        """

    def count_apart(self, batch: pa.Table, first_event_no: int) -> Counted:
        """Take raw events of sources with ``audience: true`` into the space of audience measurement, numbered as above.

        Nothing of them goes anywhere else: no pseudonym of the company, no vault, no edge, no choice, no part.
        """

    def settle(self) -> None:
        """Make all that was admitted so far durable; called before the parts enter the manifest."""

    def withdraw(self, event_nos: list[int]) -> None:
        """Forget what was kept of these events (their edges and texts): their rows have been replaced."""

    def forget_from(self, event_no: int) -> None:
        """Forget what was kept of every event from this number on: their load was cut short, and is done again."""

    def bit_of(self, purpose: str) -> int:
        """Return which bit of ``permitted`` says that ``purpose`` may see an event."""

    def seal(self, data: bytes) -> bytes:
        """Encrypt the bytes of a row that goes to quarantine: they may hold anything about anybody."""

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` gave. Raises `ParcoursError` ``seal_damaged``."""

    def hour_key(self, hour: int) -> bytes | None:
        """Return the key of an hour of the journal (its number since 1970, UTC), or nothing once it was destroyed."""

    def destroy_hour_keys(self, before: int, needed: Collection[int]) -> int:
        """Destroy the keys of the hours before number ``before`` that are not ``needed``; return how many."""

    def row_seed(self) -> int:
        """Return the company's secret 63-bit seed of row keys, always the same, so that nobody can guess a key."""
