"""The YAML form of records: durations, and what may be left out or said in one word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.blueprint.form import parse_duration, to_plain, write_duration
from parcours.blueprint.records import EventMatch, Stage, Step
from parcours.words import Words


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("30d", 2_592_000_000),
        ("1.5h", 5_400_000),
        ("15min", 900_000),
        ("2w", 1_209_600_000),
        ("500ms", 500),
        ("9s", 9000),
    ],
)
def test_durations_are_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["30", "d", "30 days", "-3d", "3dd", ""])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the message is the text itself
        parse_duration(text)
    assert raised.value.args == (text,)


@given(st.integers(min_value=0, max_value=10**15))
def test_a_duration_is_read_back_equal(milliseconds: int) -> None:
    assert parse_duration(write_duration(milliseconds)) == milliseconds


def test_records_are_written_as_people_write_them() -> None:
    assert to_plain(EventMatch(name="Paid")) == "Paid"
    assert to_plain(EventMatch(name="Paid", where={"by": ("card",)})) == {"name": "Paid", "where": {"by": ["card"]}}
    assert to_plain(Step(sequence=(Step(touchpoint="a"),))) == {"sequence": ["a"]}
    stage = Stage(id="buy", label=Words("Achat", "Purchase"), deadline_ms=86_400_000)
    assert to_plain(stage) == {"id": "buy", "label": {"fr": "Achat", "en": "Purchase"}, "deadline": "1d"}
