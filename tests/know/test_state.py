"""Tests of the numbers that names keep: stable, never given twice, and bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.errors import ParcoursError
from parcours.know.state import MOST_NUMBERS, number_names, open_state


def test_a_name_keeps_its_number_whatever_comes_and_goes(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    assert number_names(state, "purpose", ["improve", "sell"]) == {"improve": 0, "sell": 1}
    assert number_names(state, "purpose", ["research", "sell"]) == {"research": 2, "sell": 1}
    assert number_names(state, "text", ["comment"]) == {"comment": 0}
    again = open_state(tmp_path)
    assert number_names(again, "purpose", ["improve", "teach"]) == {"improve": 0, "teach": 3}


def test_names_past_the_last_bit_are_refused_and_none_is_kept(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    number_names(state, "purpose", [f"p{number}" for number in range(MOST_NUMBERS - 1)])
    with pytest.raises(ParcoursError, match="too_many_names"):
        number_names(state, "purpose", ["last", "one_more"])
    assert number_names(state, "purpose", ["another"]) == {"another": MOST_NUMBERS - 1}


@pytest.mark.parametrize("change", ["UPDATE numbers SET number = 9 WHERE name = 'sell'",
                                    "DELETE FROM numbers WHERE name = 'sell'"])  # fmt: skip
def test_a_number_that_was_altered_or_lost_is_told(tmp_path: Path, change: str) -> None:
    state = open_state(tmp_path)
    number_names(state, "purpose", ["improve", "sell"])
    state.execute(change)
    with pytest.raises(ParcoursError, match="row_damaged"):
        number_names(open_state(tmp_path), "purpose", ["improve"])
