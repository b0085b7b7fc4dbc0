"""The audit log: who did what to whose data and why, appended before the answer is sent, and never changed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import msgspec

from parcours.engine.store.sqlite import Cell
from parcours.errors import ParcoursError
from parcours.know.access.actions import Action
from parcours.know.audit.checking import check_log, log_damaged
from parcours.know.audit.entries import CELLS, Entry, Head, LogTables, blob, hash_entry, link
from parcours.know.audit.merkle import EMPTY, Hashes, grow, hash_span, prove_consistency, prove_inclusion, root_of
from parcours.know.keys import Keys
from parcours.know.masks import mask
from parcours.words import Words

DAY_MS = 86_400_000
MOST_LETTERS = 200
"""So long a reason may be; whatever follows is cut."""

Outcome = Literal["done", "refused"]

_ID = re.compile(r"(?=[A-Za-z0-9_./:#-]{1,120}$)(?![0-9]{8,15}$|[0-9]{17,}$)(?!(?:user|mail|phone|device):)")
"""What may stand as it is: an id. No customer's identifier is, nor a mail, nor what may be a phone, card or NIR."""


class DayRoot(msgspec.Struct, frozen=True):
    """What the whole log was at the end of a day (UTC): how many entries, and the root of the tree over them.

    ``closed`` says that no entry can fall on that day any more.
    """

    day: int
    entries: int
    root: bytes
    closed: bool


class Audit:
    """``.parcours/audit.db``: entries under pseudonyms, chained by SHA-256, under a Merkle root a day.

    Each entry is on disk before `note` returns. Several processes and threads may append at once. Every row carries
    a checksum under a key of the company, so that a change made to the file alone is named; a change made by somebody
    who holds the keys shows against a root that was given away before.

    Args:
        folder: The company folder.
        keys: Its keys.
        now_ms: Returns the time in epoch milliseconds.
    """

    def __init__(
        self, folder: Path, keys: Keys, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._now_ms = now_ms
        self._tables = LogTables(folder, keys.derive("audit"))

    def note(
        self, actor: str, action: Action, thing_kind: str, thing: int | str, outcome: Outcome, reason: str = ""
    ) -> int:
        """Append one entry and return its number; it is on disk then.

        ``thing`` is a pseudonym or profile id as a number, or an id as a text; what does not look like an id stands
        there as a keyed digest. Mails, phones and the like are masked in the ``reason``; names are not.

        Raises:
            ParcoursError: ``row_damaged``, ``disk_full``, ``database_busy`` …: then the act must not go on either.
        """
        with self._tables.database.transaction():
            head = self._advance(self._tables.read_head())
            told = (self._name(actor), action, thing_kind, self._name(thing), outcome)
            reason = mask(" ".join(reason.split()))[:MOST_LETTERS]
            cells = (head.entries + 1, head.day, self._now_ms(), *told, reason)
            leaf = hash_entry(cells)
            chain = link(head.chain, leaf)
            self._tables.entries.put([(*cells, chain)])
            self._tables.write_head(Head(cells[0], head.day, chain, grow(head.peaks, head.entries, leaf)))
        return cells[0]

    def read(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        thing_kind: str | None = None,
        thing: int | str | None = None,
        outcome: Outcome | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[Entry, ...]:
        """Return the entries to which all of these apply, latest first, each checked.

        ``before`` is the number of the last entry of the page that came before this one.

        Raises:
            ParcoursError: ``audit_altered`` when one of them was altered.
        """
        asked: dict[str, Cell] = {
            "actor = ?": None if actor is None else self._name(actor),
            "action = ?": action,
            "thing_kind = ?": thing_kind,
            "thing = ?": None if thing is None else self._name(thing),
            "outcome = ?": outcome,
            "at_ms >= ?": since_ms,
            "at_ms < ?": until_ms,
            "entry_no < ?": before,
        }
        given = {clause: value for clause, value in asked.items() if value is not None}
        where = f"WHERE {' AND '.join(given)}" if given else ""
        rows = self._some(f"{where} ORDER BY entry_no DESC LIMIT ?", (*given.values(), limit))
        return tuple(msgspec.convert(dict(zip(CELLS, row, strict=False)), Entry) for row in rows)

    def root(self, day: int) -> DayRoot:
        """Return what the log was at the end of ``day`` (days since 1970, UTC).

        Once the root of a day that is over has been asked for, no entry falls on it any more, even if the clock goes
        back.

        Raises:
            ParcoursError: ``audit_day_ahead`` when that day has not begun.
        """
        with self._tables.database.transaction():
            head = self._advance(self._tables.read_head())
            rows = self._tables.roots.some("WHERE day <= ? ORDER BY day DESC LIMIT 1", (day,))
        if day > head.day:
            raise _day_ahead(day)
        if day == head.day:
            return DayRoot(day, head.entries, root_of(head.peaks), False)
        entries, root = (int(rows[0][1] or 0), blob(rows[0][2])) if rows else (0, EMPTY)
        return DayRoot(day, entries, root, True)

    def roots(self) -> tuple[DayRoot, ...]:
        """Return the roots of the days that are closed and on which anything was noted, earliest first."""
        rows = self._tables.roots.all("day")
        return tuple(DayRoot(int(day or 0), int(entries or 0), blob(root), True) for day, entries, root in rows)

    def holds(self, entries: int, root: bytes) -> bool:
        """Return whether the first ``entries`` entries still have the ``root`` that somebody was once given."""
        return 0 <= entries <= self._tables.read_head().entries and self._span(0, entries) == root

    def prove_inclusion(self, entry_no: int, entries: int) -> Hashes:
        """Return the proof that an entry is among the first ``entries`` (see `merkle.shows_inclusion`)."""
        return prove_inclusion(self._span, entry_no - 1, entries)

    def prove_consistency(self, earlier: int, entries: int) -> Hashes:
        """Return the proof that the first ``entries`` go on from the first ``earlier`` (`merkle.shows_consistency`)."""
        return prove_consistency(self._span, earlier, entries)

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each entry that was altered, removed, added or moved, and one for a wrong root."""
        with self._tables.database.snapshot():
            yield from check_log(self._tables)

    def is_whole(self, most: int = 20_000) -> bool:
        """Return whether the log is what was written; one of more than ``most`` entries by its count and end alone."""
        tables = self._tables
        with tables.database.snapshot():
            try:
                head = tables.read_head()
                if head.entries <= most:
                    return next(check_log(tables), None) is None
                tables.entries.tally.compare_counts()
                last = tables.entries.some("WHERE entry_no = ?", (head.entries,))
                return [row[-1] for row in last] == [head.chain]
            except ParcoursError:
                return False

    def close(self) -> None:
        """Close the file."""
        self._tables.database.close()

    def _advance(self, head: Head) -> Head:
        """Return ``head`` on the day that it is now, or later where the clock went back; close the day that is over."""
        today = self._now_ms() // DAY_MS
        if today <= head.day:
            return head
        if head.entries:
            self._tables.roots.put([(head.day, head.entries, root_of(head.peaks))])
        moved = head._replace(day=today)
        self._tables.write_head(moved)
        return moved

    def _span(self, first: int, last: int) -> bytes:
        rows = self._some("WHERE entry_no > ? AND entry_no <= ? ORDER BY entry_no", (first, last))
        return hash_span([hash_entry(row[:-1]) for row in rows])

    def _some(self, where: str, cells: Sequence[Cell]) -> Sequence[Sequence[Cell]]:
        try:
            return self._tables.entries.some(where, cells)
        except ParcoursError as fault:
            if fault.code != "row_damaged":
                raise
            # Starting anew, the remedy for other tables, would do away with the evidence.
            raise log_damaged(self._tables.database.path) from fault

    def _name(self, thing: int | str) -> str:
        """Return a thing as it stands in the log: a number in 16 hexadecimal digits, an id, or a digest."""
        if isinstance(thing, int):
            return f"{thing:016x}"
        if _ID.match(thing) or not thing:
            return thing
        return "#" + blake2b(thing.encode(), key=self._tables.secret, digest_size=8, person=b"audit thing").hexdigest()


def _day_ahead(day: int) -> ParcoursError:
    told = time.strftime("%Y-%m-%d", time.gmtime(day * 86_400))
    return ParcoursError(
        "audit_day_ahead",
        Words(
            fr=f"Le journal d'audit n'en est pas encore au {told} (UTC).",
            en=f"The audit log has not come to {told} yet (UTC).",
        ),
        Words(fr="Demandez un jour passé, ou aujourd'hui.", en="Ask for a day that is past, or today."),
    )
