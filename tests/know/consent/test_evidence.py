"""Tests of evidence: a raw string that a line names is found, or it is said that some are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from parcours.errors import ParcoursError
from parcours.know.consent.evidence import Evidence
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.settings import Settings


def keep(folder: Path, *texts: str) -> tuple[Evidence, list[int]]:
    """Keep ``texts``, and return their numbers."""
    evidence = Evidence(open_state(folder), open_keys(folder, Settings())[0].checks)
    numbers = evidence.number(pa.chunked_array([texts]))
    evidence.settle(numbers)
    return evidence, numbers.tolist()


def test_what_was_kept_is_found_and_a_number_that_never_was_is_not(tmp_path: Path) -> None:
    evidence, (one, other) = keep(tmp_path, "tcf/read AA", "tcf/read BB")
    assert evidence.find([one, 0, other, 7]) == {one: "tcf/read AA", other: "tcf/read BB"}


@pytest.mark.parametrize("lost", ["DELETE FROM consent_evidence", "DELETE FROM consent_evidence WHERE number = ?1"])
def test_what_is_missing_is_named_and_not_passed_over(tmp_path: Path, lost: str) -> None:
    evidence, (one, other) = keep(tmp_path, "tcf/read AA", "tcf/read BB")
    open_state(tmp_path).execute(lost, (one,) if "?" in lost else ())
    with pytest.raises(ParcoursError) as caught:
        evidence.find([one, other])
    assert caught.value.code == "row_damaged"


def test_no_text_is_dropped_while_its_line_waits(tmp_path: Path) -> None:
    evidence = Evidence(open_state(tmp_path), open_keys(tmp_path, Settings())[0].checks)
    first = evidence.number(pa.chunked_array([["tcf/read first"]]))
    evidence.number(pa.chunked_array([[f"tcf/read {number}" for number in range(200_001)]]))
    evidence.number(pa.chunked_array([["tcf/read last"]]))
    evidence.settle(first)
    assert evidence.find(first.tolist()) == {int(np.int64(first[0])): "tcf/read first"}
