"""What the law keeps of somebody who was erased: sealed apart, read by no measure, and gone when its years are over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.blueprint.records import Blueprint, Retained
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.rights.receipts import Kept
from parcours.know.state import damaged

_NONCE = 12
_COLUMNS = ("erasure_no", "place", "rule", "basis", "until_ms", "sealed")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS retained (
    erasure_no INTEGER NOT NULL, place INTEGER NOT NULL, rule TEXT NOT NULL, basis TEXT NOT NULL,
    until_ms INTEGER NOT NULL, sealed BLOB NOT NULL, checksum BLOB, PRIMARY KEY (erasure_no, place));
"""


class RetainedRow(msgspec.Struct, frozen=True):
    """One event that is kept: what the blueprint says of it, until when, and what it was, with its identifier."""

    rule: str
    basis: str
    until_ms: int
    event: dict[str, Any]


class RetainedRows:
    """The retained rows of one company in ``state.db``, under a key of their own."""

    def __init__(self, state: Database, keys: Keys) -> None:
        state.execute(_SCHEMA)
        self._state = state
        self._cipher = AESGCM(keys.derive("retained"))
        self.table = CheckedTable(state, "retained", _COLUMNS, ("erasure_no", "place"), keys.checks)

    def replace(self, erasure_no: int, rows: Iterable[RetainedRow]) -> None:
        """Keep what an erasure leaves, in the place of what it kept before it was cut short."""
        with self._state.transaction():
            self.table.drop("erasure_no = ?", (erasure_no,))
            self.table.put(
                (erasure_no, place, row.rule, row.basis, row.until_ms, self._seal(erasure_no, place, row.event))
                for place, row in enumerate(rows)
            )

    def read(self, erasure_no: int) -> list[RetainedRow]:
        """Return what is kept of an erasure; whoever asks has a reason that the law knows, and notes it.

        Raises:
            ParcoursError: ``row_damaged`` or ``state_damaged``.
        """
        rows = self.table.some("WHERE erasure_no = ? ORDER BY place", (erasure_no,))
        return [
            RetainedRow(str(rule), str(basis), int(until_ms or 0), self._open(erasure_no, place, sealed))
            for _, place, rule, basis, until_ms, sealed in rows
        ]

    def tell(self, erasure_no: int) -> tuple[Kept, ...]:
        """Return what is kept of an erasure in figures, until the last of each kind goes."""
        rows = self._state.execute(
            "SELECT rule, basis, count(*), max(until_ms) FROM retained WHERE erasure_no = ? GROUP BY rule, basis",
            (erasure_no,),
        )
        return tuple(Kept(str(rule), str(basis), int(n or 0), int(until or 0)) for rule, basis, n, until in rows)

    def expire(self, now_ms: int) -> int:
        """Delete what is kept no longer; return how many rows that was."""
        return self.table.drop("until_ms < ?", (now_ms,))

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each row that was altered, and one when some are missing."""
        yield from self.table.verify()

    def _seal(self, erasure_no: int, place: int, event: dict[str, Any]) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, msgspec.json.encode(event), b"%d %d" % (erasure_no, place))

    def _open(self, erasure_no: int, place: object, sealed: object) -> dict[str, Any]:
        try:
            held = sealed if isinstance(sealed, bytes) else b""
            plain = self._cipher.decrypt(held[:_NONCE], held[_NONCE:], f"{erasure_no} {place}".encode())
        except (InvalidTag, ValueError) as fault:
            raise damaged("retained", place, self._state.path) from fault
        return dict(msgspec.json.decode(plain))


def choose_retained(
    blueprint: Blueprint, events: Iterable[dict[str, Any]], names: dict[int, str], now_ms: int
) -> Iterator[RetainedRow]:
    """Yield those of a person's ``events`` (rows of parts) that the blueprint says the law keeps, and that far alone.

    ``names`` are the identifiers behind pseudonyms: an invoice without its customer would be none.
    """
    for event in events:
        for rule in blueprint.retained:
            until_ms = _years_later(event["occurred_ms"], rule.years)
            if event["name"] in rule.events and until_ms > now_ms:
                yield RetainedRow(rule.id, rule.basis, until_ms, _keep(event, rule, names))
                break


def _keep(event: dict[str, Any], rule: Retained, names: dict[int, str]) -> dict[str, Any]:
    told = {name: event[name] for name in ("event_no", "source", "name", "occurred_ms", "received_ms")}
    told["identifier"] = names.get(event["subject"], "")
    for column, value in event.items():
        kind, _, name = column.partition("_")
        if kind in ("field", "object") and value is not None and (not rule.fields or name in rule.fields):
            told[column] = value
    return told


def _years_later(at_ms: int, years: int) -> int:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return int(moment.replace(year=moment.year + years, day=day).timestamp() * 1000)
