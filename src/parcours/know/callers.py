"""Whoever an event names: raw identifiers become pseudonyms, once for each distinct value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.identifiers import Spelling, UnusableError, normaliser
from parcours.know.pseudonyms import NOBODY, Numbers, digest_identifiers
from parcours.know.vault import Vault

UNUSABLE, COLLISION = -2, -3
"""Codes below `NOBODY`: the event is refused."""

_MOST_REMEMBERED = 400_000


class Callers:
    """Pseudonyms by raw value, and what the vault has yet to hold.

    Args:
        key: The pseudonym key of the company.
        vault: Where identifiers are sealed, and where a collision of two shows.
        spelling: How identifiers are written.
    """

    def __init__(self, key: bytes, vault: Vault, spelling: Spelling) -> None:
        self._key = key
        self._vault = vault
        self._normalise = {kind: normaliser(kind, spelling) for kind in IDENTIFIERS}
        self._codes: dict[str, dict[str, int]] = {kind: {} for kind in IDENTIFIERS}
        self._unsealed: dict[int, tuple[int, str]] = {}

    def recognise(self, kind: str, column: pa.ChunkedArray) -> Numbers:
        """Return the pseudonym of each row of ``column``; `NOBODY`, `UNUSABLE` or `COLLISION` where there is none."""
        if column.null_count == len(column):
            return np.full(len(column), NOBODY, np.int64)
        coded = pc.dictionary_encode(column).combine_chunks()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.chunk(0)
        values: list[str] = coded.dictionary.to_pylist()
        known = self._codes[kind]
        if len(known) > _MOST_REMEMBERED:
            known.clear()
        new = [value for value in values if value not in known]
        if new:
            self._learn(kind, new)
        codes = np.fromiter(map(known.__getitem__, values), np.int64, len(values))
        places = np.asarray(coded.indices.fill_null(len(values)))
        spread: Numbers = np.append(codes, NOBODY)[places]
        return spread

    def keep(self, people: dict[str, Numbers], event_nos: Numbers) -> None:
        """Seal the identifiers on kept events that the vault does not hold yet."""
        if not self._unsealed:
            return
        everyone = np.concatenate(list(people.values()))
        pseudonyms, first = np.unique(everyone, return_index=True)
        numbers = np.tile(event_nos, len(people))[first]
        rows = [
            (pseudonym, *self._unsealed.pop(pseudonym), number)
            for pseudonym, number in zip(pseudonyms.tolist(), numbers.tolist(), strict=True)
            if pseudonym in self._unsealed
        ]
        if rows:
            columns = list(zip(*rows, strict=True))
            self._vault.keep_identifiers(*columns)

    def _learn(self, kind: str, values: list[str]) -> None:
        known, normalise = self._codes[kind], self._normalise[kind]
        normal: list[str] = []
        raw: list[str] = []
        for value in values:
            try:
                form = normalise(value)
            except UnusableError:
                known[value] = UNUSABLE
                continue
            if form is None:
                known[value] = NOBODY
            else:
                normal.append(form)
                raw.append(value)
        pseudonyms, fingerprints = digest_identifiers(kind, normal, self._key)
        in_vault = self._vault.fingerprints(pseudonyms).tolist()
        for place, (pseudonym, fingerprint) in enumerate(zip(pseudonyms.tolist(), fingerprints.tolist(), strict=True)):
            waiting = self._unsealed.get(pseudonym)
            held = waiting[0] if waiting else in_vault[place]
            if held < 0:
                self._unsealed[pseudonym] = (fingerprint, normal[place])
            known[raw[place]] = pseudonym if held in (-1, fingerprint) else COLLISION


def recognise(kind: str, column: pa.ChunkedArray, key: bytes, spelling: Spelling) -> Numbers:
    """Return the pseudonym of each row of ``column`` without remembering any; `NOBODY` or `UNUSABLE` where none is."""
    if column.null_count == len(column):
        return np.full(len(column), NOBODY, np.int64)
    coded = pc.dictionary_encode(column).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0)
    normalise = normaliser(kind, spelling)
    values: list[str] = coded.dictionary.to_pylist()
    named: list[int] = []
    normal: list[str] = []
    codes = np.full(len(values) + 1, NOBODY, np.int64)
    for place, value in enumerate(values):
        try:
            form = normalise(value)
        except UnusableError:
            codes[place] = UNUSABLE
            continue
        if form is not None:
            named.append(place)
            normal.append(form)
    codes[named] = digest_identifiers(kind, normal, key)[0]
    spread: Numbers = codes[np.asarray(coded.indices.fill_null(len(values)))]
    return spread
