"""Asking steps: columns as NumPy, and the texts kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parcours.engine.sql.step import Step
from parcours.measure.questions import Questions

COUNT = Step(
    name="test_questions_count",
    text="select touchpoint, count(*) as touches from touches where touchpoint <= $top group by touchpoint",
    reads=("touches",),
    gives={"touchpoint": "int", "touches": "int"},
    sample={"top": 3},
)


def test_an_answer_is_columns_and_its_text_is_kept(make_rows: Callable[..., Any]) -> None:
    questions = Questions(make_rows([[(0, 1.0), (0, 2.0), (5, 3.0)]]))
    answer = questions.ask(COUNT, top=3)
    assert {name: column.tolist() for name, column in answer.items()} == {"touchpoint": [0], "touches": [2]}
    assert {str(column.dtype) for column in answer.values()} == {"int64"}
    assert questions.sql.startswith("-- test_questions_count\nSELECT touchpoint")
    assert "$top" not in questions.sql


def test_a_step_asked_twice_is_written_once(make_rows: Callable[..., Any]) -> None:
    questions = Questions(make_rows([]))
    questions.ask(COUNT, top=1)
    questions.ask(COUNT, top=1)
    assert questions.sql.count("test_questions_count") == 1
