"""Text in pictures: wrapping never spills, markup never leaks."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from parcours.charts.text import lines_of, measure_text, round_to, text, wrap


@given(st.text("abc déWM-/'’ ", min_size=1, max_size=80), st.floats(40, 300))
def test_no_line_is_wider_than_its_room(words: str, width: float) -> None:
    for line in wrap(words, width, 13, lines=3):
        assert measure_text(line, 13) <= width


def test_all_the_words_stay_when_there_is_room() -> None:
    label = "Service client par téléphone"
    assert " ".join(wrap(label, 110, 13)) == label


def test_what_is_cut_says_so() -> None:
    rows = wrap("un deux trois quatre cinq six sept huit", 50, 13, lines=2)
    assert len(rows) == 2
    assert rows[-1].endswith("…")


def test_markup_is_escaped() -> None:
    svg = text(1, 2, "<b>&") + lines_of(0, 0, ["<i>", "x"], 15)
    assert "<b>" not in svg
    assert [node.text for node in ElementTree.fromstring(f"<g>{svg}</g>").iter("tspan")] == ["<i> ", "x"]


def test_coordinates_are_short() -> None:
    assert [round_to(value) for value in (0.04, -0.04, 12.0, 3.14159, -2.5)] == ["0", "0", "12", "3.1", "-2.5"]
