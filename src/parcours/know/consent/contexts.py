"""Processing contexts: what many lines of the ledger have in common, kept once each and named by its own digest.

The columns follow ISO/IEC TS 27560 (header, processing, parties, events) and the proof that the CNIL asks for
(deliberation 2020-092): which notice was shown, in which version and language, and what it looked like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint, Notice, Purpose
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.pseudonyms import Numbers
from parcours.know.state import damaged

SCHEMA = "ISO/IEC TS 27560:2023"
UNDETERMINED = "und"
"""The language of a notice of which nobody told in which one it was shown (BCP 47)."""

CLIENT = "client"
"""Who acted where a source tells of a choice: the person, through that source."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What lines have in common.

    ``actor`` is who stated the choice: the person (`CLIENT`), or who recorded it for them, and then
    ``reason`` says why and ``audit_no`` is the entry of the audit log that notes it. ``notice`` is empty where none is
    declared for that purpose, source and moment.
    """

    schema: str = SCHEMA
    tenant: str
    purpose: str
    basis: str
    source: str
    actor: str = CLIENT
    reason: str = ""
    audit_no: int | None = None
    notice: str = ""
    notice_version: str = ""
    language: str = ""
    interface: str = ""
    screenshot: str = ""
    categories: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    storage: str = ""
    retention_days: int | None = None
    expires_days: int | None = None


class Contexts:
    """The contexts of one company; a context's number is a digest of it, so that a line's commitment covers it."""

    def __init__(self, state: Database, key: bytes) -> None:
        self._key = key
        self._path = state.path
        self._table = CheckedTable(state, "consent_contexts", ("number", "body"), ("number",), key)
        self._held: dict[int, Context] | None = None
        self._made: dict[int, bytes] = {}

    def number(self, context: Context) -> int:
        """Return the number of ``context``; `settle` keeps it once a line names it."""
        body = msgspec.json.encode(context)
        number = self._digest(body)
        self._made[number] = body
        return number

    def settle(self, named: Numbers) -> None:
        """Keep those that new lines name, inside the transaction that appends these."""
        wanted = [number for number in np.unique(named).tolist() if number in self._made]
        if wanted:
            marks = ", ".join("?" * len(wanted))
            held = {row[0] for row in self._table.some(f"WHERE number IN ({marks})", wanted)}
            self._table.put((number, self._made[number]) for number in wanted if number not in held)

    def find(self, number: int) -> Context | None:
        """Return the context of this number, nothing where a line has none.

        Raises:
            ParcoursError: ``row_damaged`` or ``state_damaged``.
        """
        if number and number not in self._read():
            self._held = None
        return self._read().get(number)

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each context that was altered, and one when some are missing."""
        yield from self._table.verify()

    def _read(self) -> dict[int, Context]:
        if self._held is None:
            self._held = {}
            for number, body in self._table.all():
                if not isinstance(body, bytes) or self._digest(body) != number:
                    raise damaged("consent_contexts", number, self._path)
                self._held[int(number)] = _decode(body)
        return self._held

    def _digest(self, body: bytes) -> int:
        digest = blake2b(body, key=self._key, digest_size=8, person=b"consent context").digest()
        return int.from_bytes(digest, "little") >> 1 or 1


class Contexting:
    """Which context the choices on a batch of events have: one look-up for all events of a source and notice."""

    def __init__(self, blueprint: Blueprint, contexts: Contexts) -> None:
        self._blueprint = blueprint
        self._contexts = contexts
        self._numbers: dict[tuple[str, str, Notice | None, str], int] = {}
        self._purposes = {purpose.id: purpose for purpose in blueprint.purposes}

    def of(self, batch: pa.Table, purpose: str) -> Numbers:
        """Return the number of the context of each event of ``batch`` (as `raw_schema`), as if it states a choice."""
        found = np.zeros(batch.num_rows, np.int64)
        named = batch.column("choice_notice") if "choice_notice" in batch.column_names else None
        told = [""] if named is None or named.null_count == batch.num_rows else named.unique().to_pylist()
        for source in pc.unique(batch.column("source")).to_pylist():
            mine = np.asarray(pc.equal(batch.column("source"), source))
            for notice in told:
                if named is None or told == [""]:
                    rows = np.flatnonzero(mine)
                elif notice is None:
                    rows = np.flatnonzero(mine & np.asarray(named.is_null()))
                else:
                    rows = np.flatnonzero(mine & np.asarray(pc.fill_null(pc.equal(named, notice), False)))
                if len(rows):
                    occurred_ms = np.asarray(batch.column("occurred_ms"))[rows]
                    found[rows] = self._of_rows(self._purposes[purpose], source, notice or "", occurred_ms)
        return found

    def one(self, purpose: str, source: str, actor: str, reason: str, audit_no: int, at_ms: int) -> int:
        """Return the number of the context of a choice that ``actor`` records at ``at_ms``, and why."""
        notice, language = _choose(self._blueprint, purpose, source, at_ms)
        context = self._make(self._purposes[purpose], source, notice, language)
        told = msgspec.structs.replace(context, actor=actor, reason=reason, audit_no=audit_no)
        return self._contexts.number(told)

    def _of_rows(self, purpose: Purpose, source: str, told: str, occurred_ms: Numbers) -> Numbers:
        if told:
            return np.full(len(occurred_ms), self._number(purpose, source, *_find(self._blueprint, told)))
        changes = _changes(self._blueprint, purpose.id, source)
        stage = np.searchsorted(np.array(changes, np.int64), occurred_ms, "right")
        numbers = np.zeros(len(changes) + 1, np.int64)
        for place in np.unique(stage).tolist():
            at_ms = changes[place - 1] if place else None
            notice, language = (None, "") if at_ms is None else _choose(self._blueprint, purpose.id, source, at_ms)
            numbers[place] = self._number(purpose, source, notice, language)
        return numbers[stage]

    def _number(self, purpose: Purpose, source: str, notice: Notice | None, language: str) -> int:
        asked = (purpose.id, source, notice, language)
        if asked not in self._numbers:
            self._numbers[asked] = self._contexts.number(self._make(purpose, source, notice, language))
        return self._numbers[asked]

    def _make(self, purpose: Purpose, source: str, notice: Notice | None, language: str) -> Context:
        company = self._blueprint.company
        shown: Mapping[str, Any] = {}
        if notice is not None:
            shown = {
                "notice": notice.id,
                "notice_version": notice.version,
                "language": language,
                "interface": notice.interface,
                "screenshot": notice.screenshot,
                "categories": notice.categories,
                "recipients": notice.recipients,
                "storage": notice.storage,
            }
        return Context(
            tenant=company.id,
            purpose=purpose.id,
            basis=purpose.basis,
            source=source,
            controllers=(notice.controllers if notice else ()) or (company.label.fr or company.label.en,),
            retention_days=purpose.retention_days,
            expires_days=purpose.expires_days,
            **shown,
        )


def _in_force(blueprint: Blueprint, purpose: str, source: str) -> list[Notice]:
    """Return the notices that may have been shown for a purpose by a source."""
    return [
        notice
        for notice in blueprint.notices
        if (not notice.purposes or purpose in notice.purposes) and (not notice.sources or source in notice.sources)
    ]


def _changes(blueprint: Blueprint, purpose: str, source: str) -> list[int]:
    """Return the moments at which another notice came into force."""
    return sorted({notice.since_ms() for notice in _in_force(blueprint, purpose, source)})


def _choose(blueprint: Blueprint, purpose: str, source: str, at_ms: int) -> tuple[Notice | None, str]:
    """Return the notice in force at a moment and its language, which nobody can tell where there are several."""
    shown = [notice for notice in _in_force(blueprint, purpose, source) if notice.since_ms() <= at_ms]
    latest = max((notice.since_ms() for notice in shown), default=0)
    shown = [notice for notice in shown if notice.since_ms() == latest]
    if not shown:
        return None, ""
    return shown[0], shown[0].language if len(shown) == 1 else UNDETERMINED


def _find(blueprint: Blueprint, told: str) -> tuple[Notice | None, str]:
    """Return the notice that an event names (``id``, ``id@version`` or ``id@version/language``), and its language.

    One that is not declared is no proof of anything: nothing.
    """
    id, _, rest = told.partition("@")
    version, _, language = rest.partition("/")
    shown = [
        notice
        for notice in blueprint.notices
        if notice.id == id and version in ("", notice.version) and language in ("", notice.language)
    ]
    if not shown:
        return None, ""
    latest = max(notice.since_ms() for notice in shown)
    shown = [notice for notice in shown if notice.since_ms() == latest]
    return shown[0], shown[0].language if len(shown) == 1 else UNDETERMINED


def _decode(body: bytes) -> Context:
    return msgspec.json.decode(body, type=Context)
