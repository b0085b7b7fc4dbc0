"""Tests of erasing choices: contents go for good, the chain and everybody else stay, proof of consent is sealed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from parcours.errors import ParcoursError
from parcours.know.consent.chain import commit, pack
from parcours.know.consent.ledger import GRANTED, NOTHING, REFUSED, WITHDRAWN
from parcours.know.consent.lines import CHOICE, COLUMNS
from parcours.know.consent.proofs import KEPT_MS
from parcours.know.state import open_state

from .stating import DAY_MS, keep, open_ledger, recorded, state

ERASED, OTHER = 0x1122334455667788, 0x0102030405060708


def test_contents_and_salts_go_and_the_chain_holds(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, (ERASED, 10, GRANTED), (OTHER, 11, REFUSED), (ERASED, 12, REFUSED))
    links = open_state(tmp_path).execute("SELECT link FROM consent ORDER BY entry_no")
    assert ledger.erase(np.array([ERASED])) == 2
    rows = open_state(tmp_path).execute(f"SELECT {', '.join(COLUMNS)}, salt FROM consent ORDER BY entry_no")
    assert rows[0] == rows[2] == (None,) * (len(COLUMNS) + 1)
    assert rows[1][0] == OTHER
    assert open_state(tmp_path).execute("SELECT link FROM consent ORDER BY entry_no LIMIT 3") == links
    assert list(open_ledger(tmp_path).verify()) == []
    for one in (ledger, open_ledger(tmp_path)):
        assert recorded(one, ERASED, OTHER) == [NOTHING, REFUSED]


def test_nothing_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, (ERASED, 10, GRANTED), (OTHER, 11, GRANTED))
    ledger.erase(np.array([ERASED]))
    state_db = open_state(tmp_path)
    assert state_db.truncate_log()
    data = (tmp_path / ".parcours" / "state.db").read_bytes()
    assert ERASED.to_bytes(8, "big") not in data
    assert OTHER.to_bytes(8, "big") in data


def test_another_process_forgets_what_was_erased(tmp_path: Path) -> None:
    writer, reader = open_ledger(tmp_path), open_ledger(tmp_path)
    keep(writer, (1, 10, GRANTED), (2, 10, GRANTED))
    assert recorded(reader, 1, 2) == [GRANTED, GRANTED]
    before = reader.version()
    writer.erase(np.array([1]))
    assert recorded(reader, 1, 2) == [NOTHING, GRANTED]
    assert reader.version() != before


def test_who_comes_back_chooses_anew(tmp_path: Path) -> None:
    ledger, reader = open_ledger(tmp_path), open_ledger(tmp_path)
    keep(ledger, (1, 10, REFUSED))
    recorded(reader, 1)
    ledger.erase(np.array([1]))
    keep(ledger, (1, 20, GRANTED))
    for one in (ledger, reader, open_ledger(tmp_path)):
        assert recorded(one, 1) == [GRANTED]
    assert list(ledger.verify()) == []


def test_what_was_noted_and_not_settled_goes_too(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    state(ledger, 1, 10)
    state(ledger, 2, 10)
    ledger.erase(np.array([1]))
    ledger.settle(11)
    assert recorded(open_ledger(tmp_path), 1, 2) == [NOTHING, GRANTED]


def test_erasing_twice_or_nobody_changes_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, (1, 10, GRANTED))
    assert ledger.erase(np.array([7, -1])) == 0
    assert ledger.erase(np.array([1])) == 1
    last = ledger.catch_up()
    assert ledger.erase(np.array([1])) == 0
    assert ledger.catch_up() == last


def test_the_proof_of_a_consent_is_kept_sealed_and_opens_the_commitment(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, (1, DAY_MS, GRANTED), (1, 2 * DAY_MS, REFUSED), (2, DAY_MS, REFUSED))
    ledger.erase(np.array([1, 2]))
    proofs = open_ledger(tmp_path).proofs.find(1)
    assert [proof.columns[CHOICE] for proof in proofs.values()] == [GRANTED, WITHDRAWN]
    held = dict(open_state(tmp_path).execute("SELECT entry_no, commitment FROM consent"))
    assert all(commit(pack(proof.columns), proof.salt) == held[entry] for entry, proof in proofs.items())
    # Of who never consented there was nothing to prove.
    assert ledger.proofs.find(2) == {}
    assert ledger.proofs.count() == (2, 2 * DAY_MS + KEPT_MS)


def test_a_proof_goes_when_its_time_is_over_and_an_altered_one_is_named(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, (1, DAY_MS, GRANTED), (1, 2 * DAY_MS, REFUSED))
    ledger.erase(np.array([1]))
    assert ledger.proofs.drop_past(DAY_MS + KEPT_MS + 1) == 1
    assert list(ledger.proofs.find(1)) == [2]
    open_state(tmp_path).execute("UPDATE consent_proofs SET until_ms = until_ms + 1")
    with pytest.raises(ParcoursError, match="row_damaged"):
        open_ledger(tmp_path).proofs.find(1)
    assert len(list(open_ledger(tmp_path).verify())) == 1


def test_a_raw_string_stays_as_long_as_somebody_s_line_names_it(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    shared, own = ledger.evidence.number(pa.chunked_array([["tcf/read AA", "tcf/read BB"]])).tolist()
    one, none = np.array([0], np.int64), np.array([1], np.int8)
    for principal, evidence in ((1, shared), (2, shared), (3, own)):
        note = (np.array([principal]), none, one + 10, one, one, one, np.array([evidence]))
        ledger.evidence.number(pa.chunked_array([["tcf/read AA", "tcf/read BB"]]))
        ledger.note(0, *note)
        ledger.settle(11)
    assert ledger.evidence.find([shared, own]) == {shared: "tcf/read AA", own: "tcf/read BB"}
    ledger.erase(np.array([1, 3]))
    assert open_ledger(tmp_path).evidence.find([shared, own]) == {shared: "tcf/read AA"}
    ledger.erase(np.array([2]))
    assert open_state(tmp_path).execute("SELECT * FROM consent_evidence") == []
    assert ledger.proofs.find(2)[2].evidence == "tcf/read AA"
