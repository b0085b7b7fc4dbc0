"""How the door writes: columns that fit, figures in the reader's language, progress on long work alone."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.cli import output
from parcours.cli.output import Bars, choose_columns, say, width_of, write_cell, write_duration, write_number
from parcours.measure.contract import Column
from parcours.words import Words, speak


@pytest.fixture(autouse=True)
def _forget_language() -> Iterator[None]:
    yield
    speak(None)


CELLS = st.lists(st.lists(st.text("abc", max_size=12), min_size=4, max_size=4), min_size=1, max_size=5)


@given(CELLS, st.integers(10, 60))
def test_chosen_columns_fit_the_width_and_keep_their_order(cells: list[list[str]], width: int) -> None:
    headings = ["one", "two", "three", "four"]
    places = choose_columns(headings, cells, width)
    taken = sum(width_of(headings[i], [row[i] for row in cells]) + 2 for i in places) - 2
    assert places == sorted(places)
    assert taken <= width or places == [0]


def test_a_column_that_says_the_same_everywhere_gives_way_first() -> None:
    cells = [["same text", "a"], ["same text", "b"]]
    assert choose_columns(["one", "two"], cells, 9) == [1]


def test_figures_follow_the_language() -> None:
    speak("fr")
    assert write_number(-1234.5, 1) == "−1\u202f234,5"
    assert write_duration(36 * 3_600_000) == "1,5\u202fj"
    speak("en")
    assert write_number(-1234.5, 1) == "−1,234.5"
    assert write_cell(0.256, Column("share", Words(), "share"), {}) == "25.6\u202f%"
    assert write_cell(None, Column("n", Words(), "count"), {}) == "–"


def test_both_languages_become_the_one_in_force_even_where_json_has_lost_the_record() -> None:
    speak("fr")
    assert say({"settle": {"fr": "essai", "en": "trial"}, "row": [Words(fr="oui", en="yes")]}) == {
        "settle": "essai",
        "row": ["oui"],
    }


@pytest.mark.parametrize(("patience_s", "drawn"), [(0.0, True), (60.0, False)])
def test_only_long_work_draws_a_bar(monkeypatch: pytest.MonkeyPatch, patience_s: float, drawn: bool) -> None:
    told = io.StringIO()
    monkeypatch.setattr(output, "PATIENCE_S", patience_s)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stderr", told)
    bars = Bars()
    bars.begin(Words(fr="Lecture", en="Reading"), 10)
    for _ in range(10):
        bars.advance()
    bars.end()
    assert ("━" in told.getvalue()) == drawn


def test_off_a_terminal_long_work_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "PATIENCE_S", 0.0)
    speak("en")
    bars = Bars()
    bars.begin(Words(fr="Lecture", en="Reading"), 3)
    bars.advance(3)
    bars.end()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Reading: 3 (")
