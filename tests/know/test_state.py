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
