"""The consent ledger: every recorded choice, appended and chained; for each purpose the latest one counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.consent.chain import Head, Read, append, find_faults, read_chain
from parcours.know.consent.contexts import Contexts
from parcours.know.consent.erasing import erase_choices, find_proofs
from parcours.know.consent.evidence import Evidence
from parcours.know.consent.lines import (
    CHOICE,
    CONTEXT,
    ENTRY,
    ERASED,
    EVENT,
    EVIDENCE,
    GRANTED,
    NOTHING,
    PRINCIPAL,
    RECORDED,
    REFUSED,
    WITHDRAWN,
    Choices,
    Mask,
    join_runs,
    of_changed,
    state_lines,
)
from parcours.know.consent.migrating import migrate
from parcours.know.consent.proofs import Proofs
from parcours.know.consent.restrictions import Restrictions
from parcours.know.consent.standing import RESTATED_MS, Standing
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers
from parcours.know.state import damaged, tally_of

__all__ = ["GRANTED", "NOTHING", "REFUSED", "RESTATED_MS", "WITHDRAWN", "Choices", "Ledger", "state_lines"]

from parcours.know.consent.expiry import DAY_MS


class Ledger:
    """Who chose what, by identifier and purpose number.

    One line is one choice, with the first and the last time that it was stated in a row. The latest statement
    counts; of two at the same millisecond, the one that was recorded later. A consent older than ``expires_ms`` allows
    counts as refused.

    Clients state a choice on every event. What was recorded within `RESTATED_MS` is not recorded again, so that the
    ledger grows with people and days; this process knows the last statement all the same.

    Args:
        state: ``state.db``.
        keys: What links the chain and seals proofs.
        expires_ms: How long a consent holds, by purpose number; one that is not there holds until it is withdrawn.
        clock: Gives the present in epoch milliseconds.
    """

    def __init__(
        self,
        state: Database,
        keys: Keys,
        expires_ms: Mapping[int, int] | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._state = state
        self._key = keys.checks
        self._expires_ms = dict(expires_ms or {})
        self._clock = clock
        migrate(state, keys)
        self._tally = tally_of(state, "consent")
        self.contexts = Contexts(state, keys.checks)
        self.evidence = Evidence(state, keys.checks)
        self.proofs = Proofs(state, keys)
        self.restrictions = Restrictions(state, keys.checks)
        self._head = Head()
        self._compared = False
        self.checked_ms = 0
        """When the chain was last read from its first line to its last."""
        self._kept = Standing()
        """What is recorded."""
        self._exact = Standing()
        """That, and what was stated again since and is not recorded."""
        self._standing = Standing()
        """That, and what waits to be settled."""
        self._pending: list[Numbers] = []

    def note(
        self,
        purpose: int,
        principals: Numbers,
        granted: Choices,
        occurred_ms: Numbers,
        event_nos: Numbers,
        made_ms: Numbers | None = None,
        contexts: Numbers | None = None,
        evidence: Numbers | None = None,
    ) -> None:
        """Note choices in the order of arrival; they count at once, `settle` keeps them (see `state_lines`)."""
        if not principals.size:
            return
        self.catch_up()
        lines = join_runs(
            state_lines(purpose, principals, granted, occurred_ms, event_nos, made_ms, contexts, evidence)
        )
        self._standing.take(lines)
        self._pending.append(lines)

    def settle(self, recorded_ms: int) -> None:
        """Append what was noted and is not in the ledger already, so that a redelivery changes nothing."""
        if not self._pending:
            return
        lines = join_runs(np.concatenate(self._pending))
        lines[:, RECORDED] = recorded_ms
        with self._state.transaction():
            self._take_appended()
            lines = lines[of_changed(lines, ~self._kept.covers(lines))]
            # Beside something new stands what was stated last before it, to the millisecond.
            lines = np.concatenate((self._exact.find_unrecorded(self._kept, lines, recorded_ms), lines))
            self._exact.resolve(lines)
            self._append(lines)
        for pending in self._pending:
            self._exact.take(pending)
        self.abandon()

    def abandon(self) -> None:
        """Drop what was noted and not settled."""
        self._pending.clear()
        self.evidence.abandon()
        self._standing = self._exact.copy()

    def recorded(self, principals: Numbers, purpose: int) -> Choices:
        """Return `NOTHING`, `REFUSED` or `GRANTED` for each of ``principals``, as the ledger stands now."""
        return self._standing.of(principals, purpose, self.expires_before_ms(purpose))

    def expired(self, principals: Numbers, purpose: int) -> Mask:
        """Return whose last word is a consent that has expired, which `recorded` counts as refused."""
        since_ms = self.expires_before_ms(purpose)
        ended: Mask = self._standing.of(principals, purpose) != self._standing.of(principals, purpose, since_ms)
        return ended

    def recorded_with(self, principals: Numbers, purpose: int, stated: Numbers) -> Choices:
        """Return what `recorded` would if the lines ``stated`` (see `state_lines`) had come in as well."""
        standing = self._standing.of_some(np.union1d(principals, stated[:, PRINCIPAL]), purpose)
        if len(stated):
            standing.take(stated)
        return standing.of(principals, purpose, self.expires_before_ms(purpose))

    def lines_of(self, purpose: int) -> Numbers:
        """Return the line that counts for each identifier (see `parcours.know.consent.lines`), by rising identifier."""
        return self._standing.lines_of(purpose)

    def catch_up(self) -> int:
        """Take in what was appended since, by whomever; return the number of the last entry.

        Raises:
            ParcoursError: ``state_damaged`` names an entry that was altered, is missing or stands elsewhere.
        """
        self.restrictions.catch_up()
        if self._take_appended():
            self._standing = self._exact.copy()
            for lines in self._pending:
                self._standing.take(lines)
        return self._head.entry_no

    def version(self) -> str:
        """Catch up, and return what changes with a line, an expiry or a restriction, and so with what the gate says."""
        last = self.catch_up()
        expired = [
            self._standing.count_expired(purpose, self.expires_before_ms(purpose))
            for purpose in sorted(self._expires_ms)
        ]
        return f"{last}-{sum(expired)}-{self.restrictions.version()}"

    @property
    def head(self) -> Head:
        """The last line that was read and its link, which stands for the whole ledger before it."""
        return self._head

    def erase(self, principals: Numbers) -> int:
        """Erase every choice of ``principals``; return how many lines that were.

        Contents, salts and raw strings go, and the commitments take their place, so that the chain holds; a line for
        each says that it was erased. Of a consent the proof is kept sealed (see `Proofs`). What this process noted of
        them and did not settle goes too. The log of ``state.db`` is the caller's to truncate.
        """
        with self._state.transaction():
            self._take_appended()
            entries = erase_choices(self._state, principals[principals >= 0], self.contexts, self.evidence, self.proofs)
            if len(entries):
                acts = state_lines(
                    -1, np.full(len(entries), -1), np.full(len(entries), ERASED, np.int8), entries, entries
                )
                acts[:, 3:6] = self._clock()
                self._append(acts)
        for standing in (self._kept, self._exact):
            standing.drop(principals)
        self._pending = [lines[~np.isin(lines[:, PRINCIPAL], principals)] for lines in self._pending]
        self._pending = [lines for lines in self._pending if len(lines)]
        self._standing = self._exact.copy()
        for lines in self._pending:
            self._standing.take(lines)
        return len(entries)

    def find_proofs(self, principals: Numbers) -> tuple[int, int]:
        """Return how many proofs `erase` would keep of ``principals``, and until when (epoch ms, 0 for none)."""
        return find_proofs(self._state, principals, self.contexts)

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, is missing or stands elsewhere, and for what lines name."""
        with self._state.snapshot():
            erased, acts, head = [], [], Head()
            for found in find_faults(self._state, self._key):
                if isinstance(found, Read):
                    head = found.head
                    erased.append(found.erased)
                    acts.append(found.lines[found.lines[:, CHOICE] == ERASED, EVENT])
                else:
                    yield found
            for entry_no in np.setdiff1d(np.concatenate([_NONE, *erased]), np.concatenate([_NONE, *acts])).tolist():
                yield damaged("consent", entry_no, self._state.path)
            try:
                self._compare(head)
            except ParcoursError as fault:
                yield fault
        for table in (self.contexts, self.evidence, self.proofs, self.restrictions):
            yield from table.verify()

    def expires_before_ms(self, purpose: int) -> int:
        """Return the moment before which a consent to ``purpose`` has expired, by whole days; 0 where none does."""
        holds_ms = self._expires_ms.get(purpose)
        return 0 if holds_ms is None else (self._clock() // DAY_MS) * DAY_MS - holds_ms

    def _append(self, lines: Numbers) -> None:
        """Append lines, inside a transaction in which the chain was read to its end."""
        self.contexts.settle(lines[:, CONTEXT])
        self.evidence.settle(lines[:, EVIDENCE])
        head, tallied = append(self._state, self._key, self._head, lines)
        self._tally.note(added=tallied)
        lines[:, ENTRY] = np.arange(self._head.entry_no + 1, head.entry_no + 1)
        self._head = head
        self._take_in(lines)

    def _take_appended(self) -> bool:
        with self._state.snapshot():
            # Once at least the tally is asked: a ledger that has lost every line looks like one that never had any.
            before, at_end = self._head, self._is_at_end()
            forgotten = self._head is not before
            if at_end and self._compared:
                return forgotten
            pieces, head, erased = [], self._head, [_NONE]
            for read in read_chain(self._state, self._key, head):
                pieces.append(read.lines)
                erased.append(read.erased)
                head = read.head
            self._compare(head)
            self._check_erasures(np.concatenate(erased), pieces)
        if not self._head.entry_no:
            self.checked_ms = self._clock()
        self._compared, self._head = True, head
        for lines in pieces:
            self._take_in(lines)
        return bool(pieces) or forgotten

    def _take_in(self, lines: Numbers) -> None:
        acts = lines[:, CHOICE] == ERASED
        if acts.any():
            self._forget(lines[acts, EVENT])
        for standing in (self._kept, self._exact):
            standing.take(lines[~acts])

    def _is_at_end(self) -> bool:
        """Return whether nothing stands behind the head; where what was read was taken back, forget all of it."""
        rows = self._state.execute("SELECT entry_no, link FROM consent ORDER BY entry_no DESC LIMIT 1")
        last_no, link = rows[0] if rows else (0, Head().link)
        head = self._head
        if last_no != head.entry_no:
            held = self._state.execute("SELECT link FROM consent WHERE entry_no = ?", (head.entry_no,))
            link = held[0][0] if held else None if head.entry_no else head.link
        if link != head.link:
            # A transaction that had appended lines was rolled back.
            self._head, self._kept, self._exact = Head(), Standing(), Standing()
        return last_no == self._head.entry_no

    def _compare(self, head: Head) -> None:
        """Raise unless the chain ends where it should."""
        rows = self._tally.count()
        if head.entry_no < rows:
            raise damaged("consent", head.entry_no + 1, self._state.path)
        self._tally.compare_sum(head.entry_no, head.total)

    def _check_erasures(self, erased: Numbers, pieces: list[Numbers]) -> None:
        """Raise when a line has lost its contents and no later line says that it was erased."""
        if len(erased):
            acts = [lines[lines[:, CHOICE] == ERASED, EVENT] for lines in pieces]
            unsaid = np.setdiff1d(erased, np.concatenate([_NONE, *acts]))
            if len(unsaid):
                raise damaged("consent", int(unsaid[0]), self._state.path)

    def _forget(self, entries: Numbers) -> None:
        """Forget the people whose lines somebody has erased."""
        gone = self._kept.principals_at(entries)
        if len(gone):
            for standing in (self._kept, self._exact):
                standing.drop(gone)
            self._pending = [lines[~np.isin(lines[:, PRINCIPAL], gone)] for lines in self._pending]
            self._pending = [lines for lines in self._pending if len(lines)]


_NONE: Numbers = np.empty(0, np.int64)
