"""Rows that could not be read: kept aside with their reason and sealed bytes, and never in the way of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parcours.collect.majority import Blame
from parcours.collect.rows import BadRow
from parcours.engine.store.manifest import Quarantined
from parcours.words import Words

MOST_KEPT = 1_000
"""Rows kept of one file; those beyond are counted."""


class Quarantine:
    """The bad rows of one file.

    Args:
        source: Its source.
        file: Its name in the manifest.
        seal: Encrypts the bytes of a row, which may hold anything about anybody.
        now_ms: The moment of the load.
    """

    def __init__(self, source: str, file: str, seal: Callable[[bytes], bytes], now_ms: int) -> None:
        self._source = source
        self._file = file
        self._seal = seal
        self._now_ms = now_ms
        self.kept: list[Quarantined] = []
        self.by_code: dict[str, int] = {}
        self.first: dict[str, tuple[int, Words]] = {}
        self.by_reason: dict[Words, int] = {}
        self.blames: dict[Words, Blame] = {}

    @property
    def count(self) -> int:
        """How many rows are aside, kept or only counted."""
        return sum(self.by_code.values())

    def add(self, row: BadRow) -> None:
        """Put one row aside."""
        self.note(row.line, row.code, row.reason, lambda: row.original)

    def note(self, line: int, code: str, reason: Words, original: Callable[[], bytes]) -> None:
        """Put one row aside, whose bytes are only asked for when it is kept."""
        self.by_code[code] = self.by_code.get(code, 0) + 1
        self.first.setdefault(code, (line, reason))
        self.by_reason[reason] = self.by_reason.get(reason, 0) + 1
        if len(self.kept) < MOST_KEPT:
            sealed = self._seal(original())
            self.kept.append(
                Quarantined(self._source, self._file, line, code, reason.fr, reason.en, sealed, self._now_ms)
            )

    def blame(self, blames: Mapping[Words, Blame]) -> None:
        """Keep the first cell of each reason."""
        self.blames = {**blames, **self.blames}

    def warnings(self) -> list[Words]:
        """Return one sentence a reason, with the first line that it struck."""
        told = []
        for code, count in sorted(self.by_code.items(), key=lambda one: -one[1]):
            line, reason = self.first[code]
            told.append(
                Words(
                    f"{self._file} : {count} ligne(s) en quarantaine, la première à la ligne {line}. {reason.fr}",
                    f"{self._file}: {count} row(s) in quarantine, the first on line {line}. {reason.en}",
                )
            )
        return told
