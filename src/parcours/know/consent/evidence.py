"""Evidence of choices: the raw strings in which they came (TCF, Consent Mode), kept once each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.know.pseudonyms import Numbers

_AT_ONCE = 500


class Evidence:
    """The raw strings of one company by number: a keyed digest, so that a line's commitment covers the string."""

    def __init__(self, state: Database, key: bytes) -> None:
        self._state = state
        self._key = key
        self._table = CheckedTable(state, "consent_evidence", ("number", "text"), ("number",), key)
        self._pending: dict[int, str] = {}

    def number(self, column: pa.ChunkedArray) -> Numbers:
        """Return the number of each text of ``column``, 0 where there is none; `settle` keeps those that are named."""
        if column.null_count == len(column):
            return np.zeros(len(column), np.int64)
        coded = pc.dictionary_encode(column).combine_chunks()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.chunk(0)
        texts: list[str] = coded.dictionary.to_pylist()
        numbers = [self._digest(text) for text in texts]
        self._pending.update(zip(numbers, texts, strict=True))
        places = np.asarray(coded.indices.fill_null(len(texts)))
        spread: Numbers = np.array([*numbers, 0], np.int64)[places]
        return spread

    def settle(self, named: Numbers) -> None:
        """Keep the texts that new lines name, inside the transaction that appends these."""
        wanted = {number: self._pending[number] for number in np.unique(named).tolist() if number in self._pending}
        if wanted:
            held = {row[0] for row in self._some(wanted)}
            self._table.put((number, text) for number, text in wanted.items() if number not in held)

    def abandon(self) -> None:
        """Drop what was not named."""
        self._pending = {}

    def find(self, numbers: Iterable[int]) -> dict[int, str]:
        """Return the texts of ``numbers``; errors name one that was altered, or say that some are missing."""
        asked = {number for number in numbers if number}
        found = {int(number or 0): str(text) for number, text in self._some(asked)}
        if len(found) < len(asked):
            # A way to a row may be lost and the row be there: all of them are read, and counted.
            whole = {int(number or 0): str(text) for number, text in self._table.all()}
            found = {number: whole[number] for number in asked & whole.keys()}
        return found

    def forget_unnamed(self, numbers: Sequence[int]) -> None:
        """Erase those of ``numbers`` that no line names any more, inside a transaction."""
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            self._table.drop(
                f"number IN ({marks}) AND number NOT IN (SELECT evidence FROM consent WHERE evidence IN ({marks}))",
                [*some, *some],
            )

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each text that was altered, and one when some are missing."""
        yield from self._table.verify()

    def _some(self, numbers: Iterable[int]) -> list[tuple[Cell, ...]]:
        found: list[tuple[Cell, ...]] = []
        asked = [number for number in numbers if number]
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            found += self._table.some(f"WHERE number IN ({', '.join('?' * len(some))})", some)
        return found

    def _digest(self, text: str) -> int:
        told = text.encode("utf-8", "surrogatepass")
        digest = blake2b(told, key=self._key, digest_size=8, person=b"consent text").digest()
        return int.from_bytes(digest, "little") >> 1 or 1
