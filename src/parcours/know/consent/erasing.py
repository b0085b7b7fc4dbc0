"""Erasing what lines of the ledger say, so that the chain holds and the proof that the law keeps is sealed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.engine.store.sqlite import Database
from parcours.know.consent.chain import commit, erase_lines, pack
from parcours.know.consent.contexts import Contexts
from parcours.know.consent.evidence import Evidence
from parcours.know.consent.lines import (
    CHOICE,
    COLUMNS,
    CONFIRMED,
    CONTEXT,
    EVIDENCE,
    GRANTED,
    PRINCIPAL,
    WITHDRAWN,
)
from parcours.know.consent.proofs import KEPT_MS, Proof, Proofs
from parcours.know.pseudonyms import Numbers

_AT_ONCE = 500


def erase_choices(
    state: Database, principals: Numbers, contexts: Contexts, evidence: Evidence, proofs: Proofs
) -> Numbers:
    """Erase the contents of every line of ``principals``, inside a transaction; return the numbers of these lines."""
    lines = _read(state, np.unique(principals).tolist())
    if not lines:
        return np.empty(0, np.int64)
    texts = evidence.find({line.columns[EVIDENCE] for line in lines})
    proofs.keep(
        [
            (
                line.entry_no,
                line.columns[PRINCIPAL],
                line.columns[CONFIRMED] + KEPT_MS,
                Proof(line.columns, line.salt, texts.get(line.columns[EVIDENCE], "")),
            )
            for line in lines
            if _is_proof(line, contexts)
        ]
    )
    entries = [line.entry_no for line in lines]
    erase_lines(state, entries, [commit(pack(line.columns), line.salt) for line in lines])
    evidence.forget_unnamed(sorted(texts))
    return np.array(entries, np.int64)


def find_proofs(state: Database, principals: Numbers, contexts: Contexts) -> tuple[int, int]:
    """Return how many lines of ``principals`` would be kept as proofs, and until when (epoch ms, 0 for none)."""
    lines = [line for line in _read(state, np.unique(principals).tolist()) if _is_proof(line, contexts)]
    return len(lines), max((line.columns[CONFIRMED] + KEPT_MS for line in lines), default=0)


class _Line(NamedTuple):
    """A line with contents, as it stands on disk."""

    entry_no: int
    columns: tuple[int, ...]
    salt: bytes


def _is_proof(line: _Line, contexts: Contexts) -> bool:
    """Say whether a line shows that processing rested on consent: the consent, or what ended it.

    An objection to another basis, and a refusal of what was never allowed, prove no processing.
    """
    context = contexts.find(line.columns[CONTEXT])
    basis = context.basis if context else "consent"
    return basis == "consent" and line.columns[CHOICE] in (GRANTED, WITHDRAWN)


def _read(state: Database, principals: list[int]) -> list[_Line]:
    """Return the lines of ``principals`` that are not erased, in the order of the ledger."""
    found: list[_Line] = []
    for start in range(0, len(principals), _AT_ONCE):
        some = principals[start : start + _AT_ONCE]
        rows = state.execute(
            f"SELECT {', '.join(COLUMNS)}, salt, entry_no FROM consent "
            f"WHERE principal IN ({', '.join('?' * len(some))})",
            some,
        )
        for *columns, salt, entry_no in rows:
            # What the chain has checked are whole numbers and a salt.
            numbers = tuple(int(cell or 0) for cell in columns)
            found.append(_Line(int(entry_no or 0), numbers, salt if isinstance(salt, bytes) else b""))
    return sorted(found)
