"""Proof of somebody's choices, for an authority or a judge: each line opened, so that its commitment can be checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.consent.chain import commit, pack
from parcours.know.consent.contexts import Context
from parcours.know.consent.history import Said
from parcours.know.consent.ledger import Ledger
from parcours.know.consent.lines import (
    CHOICE,
    COLUMNS,
    CONTEXT,
    EVENT,
    EVIDENCE,
    GRANTED,
    MADE,
    OCCURRED,
    PURPOSE,
    RECORDED,
    WIDTH,
    WITHDRAWN,
)
from parcours.know.pseudonyms import Numbers
from parcours.know.state import damaged


class ChoiceProof(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger, opened.

    Attributes:
        entry_no, state, purpose, made_ms, occurred_ms, recorded_ms, event_no, context: As in `LedgerLine`.
        evidence: The raw string in which the choice came, with the verdict on it; empty where there was none.
        sealed: Whether the person was erased, and this was kept for claims alone.
        contents: The columns as the commitment covers them, in hexadecimal.
        salt, commitment, link: What shows that the line stands in the chain: ``commitment`` is BLAKE2b-256 of the
            contents with that salt and the personalisation `consent line`; in hexadecimal.
    """

    entry_no: int
    state: Said
    purpose: str
    made_ms: int
    occurred_ms: int
    recorded_ms: int
    event_no: int
    context: Context | None
    evidence: str
    sealed: bool
    contents: str
    salt: str
    commitment: str
    link: str


def prove(state: Database, ledger: Ledger, purposes: Mapping[int, str], principals: Numbers) -> tuple[ChoiceProof, ...]:
    """Return every line about ``principals`` that can be opened, sealed ones included, in the order of the ledger.

    Raises:
        ParcoursError: ``state_damaged`` names a line that does not open its commitment, or that the chain denies.
    """
    ledger.catch_up()
    found = [*_open_lines(state, ledger, principals), *_open_sealed(state, ledger, principals)]
    return tuple(
        ChoiceProof(
            entry_no=entry_no,
            state="granted"
            if columns[CHOICE] == GRANTED
            else "withdrawn"
            if columns[CHOICE] == WITHDRAWN
            else "denied",
            purpose=purposes.get(columns[PURPOSE], ""),
            made_ms=columns[MADE],
            occurred_ms=columns[OCCURRED],
            recorded_ms=columns[RECORDED],
            event_no=columns[EVENT],
            context=ledger.contexts.find(columns[CONTEXT]),
            evidence=evidence,
            sealed=sealed,
            contents=pack(columns).hex(),
            salt=salt.hex(),
            commitment=commit(pack(columns), salt).hex(),
            link=link.hex(),
        )
        for entry_no, columns, salt, link, evidence, sealed in sorted(found)
    )


_Opened = tuple[int, tuple[int, ...], bytes, bytes, str, bool]


def _open_lines(state: Database, ledger: Ledger, principals: Numbers) -> Iterator[_Opened]:
    for principal in np.unique(principals).tolist():
        rows = state.execute(
            f"SELECT {', '.join(COLUMNS)}, salt, link, entry_no FROM consent WHERE principal = ?", (principal,)
        )
        for *cells, salt, link, entry_no in rows:
            columns = tuple(int(cell or 0) for cell in cells[:WIDTH])
            if not isinstance(salt, bytes) or not isinstance(link, bytes):
                raise _denied(state, entry_no)
            told = ledger.evidence.find([columns[EVIDENCE]]).get(columns[EVIDENCE], "")
            yield int(entry_no or 0), columns, salt, link, told, False


def _open_sealed(state: Database, ledger: Ledger, principals: Numbers) -> Iterator[_Opened]:
    for principal in np.unique(principals).tolist():
        for entry_no, proof in ledger.proofs.find(principal).items():
            rows = state.execute("SELECT commitment, link FROM consent WHERE entry_no = ?", (entry_no,))
            commitment, link = rows[0] if rows else (None, None)
            if commitment != commit(pack(proof.columns), proof.salt) or not isinstance(link, bytes):
                raise _denied(state, entry_no)
            yield entry_no, proof.columns, proof.salt, link, proof.evidence, True


def _denied(state: Database, entry_no: object) -> ParcoursError:
    return damaged("consent", entry_no, state.path)
