"""The notebook form: a result with its picture, its table and its styles, and nothing fetched."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.charts.notebook import result_html
from parcours.charts.rows import draw_rows
from parcours.measure.contract import Column, Result
from parcours.words import Words, speak

LABELS = {
    "delivery": Words("Livraison à domicile", "Home delivery"),
    "stage:delivery": Words("Livraison", "Delivery"),
    "carry": Words("Délai", "Delay"),
}


def make(measure: str, columns: tuple[Column, ...], rows: tuple[dict[str, Any], ...]) -> Result:
    """Return a result with these rows."""
    said = Words("Question & réponse ?", "Question?")
    return Result(
        measure=measure,
        question=said,
        unit=said,
        period=(0, 86_400_000),
        n=1234,
        columns=columns,
        rows=rows,
        definition=Words("Une définition.", "A definition."),
        sql="select 1",
        method=said,
        purpose="p",
        warnings=(Words("Attention <x>.", "Mind <x>."),),
    )


CAUSES = make(
    "causes",
    (
        Column("touchpoint", Words("Point", "Touchpoint")),
        Column("operation", Words("Opération", "Operation")),
        Column("effect", Words("Effet", "Effect"), "number"),
        Column("empty", Words("Vide", "Empty"), "number"),
    ),
    (
        {"touchpoint": "delivery", "operation": "carry", "effect": -0.5, "low": -0.6, "high": -0.4}
        | {"unit": "points", "grade": "observed", "n": 5, "empty": None},
        {"touchpoint": "delivery", "operation": "carry", "effect": None, "low": None, "high": None}
        | {"unit": "points", "grade": None, "n": 0, "empty": None},
    ),
)


@pytest.fixture(autouse=True)
def _french() -> Any:
    speak("fr")
    yield
    speak(None)


def test_a_result_draws_itself() -> None:
    html = result_html(CAUSES, LABELS)
    assert html.count("<svg") == 1
    assert "Livraison à domicile" in html
    assert "n\u202f=\u202f1\u202f234" in html
    assert "Attention &lt;x&gt;." in html
    assert "Vide" not in html  # a column without values is not shown
    assert "--paper" in html
    assert "<script" not in html


def test_a_measure_without_a_picture_is_a_table() -> None:
    html = result_html(make("funnel", (Column("a", Words("A", "A")),), ({"a": "carry"},)), LABELS)
    assert "<svg" not in html
    assert "Délai" in html


def test_the_journey_is_drawn_with_its_stages_own_names() -> None:
    row = {"stage": "delivery", "entered": 10, "moved_on": 5, "left": None, "under_way": 5}
    html = result_html(make("journey", (Column("stage", Words("Étape", "Stage")),), (row,)), LABELS)
    assert ">Livraison</tspan>" in html


def test_cells_may_hold_words_lists_and_counts() -> None:
    columns = tuple(Column(name, Words(name, name)) for name in ("said", "both", "list", "counts", "state"))
    row = {
        "said": Words("bonjour", "hello"),
        "both": {"fr": "oui", "en": "yes"},
        "list": ["delivery", "carry"],
        "counts": {"1": 3, "2": 5},
        "state": "too_few_answers",
    }
    table = draw_rows(make("funnel", columns, (row,)), LABELS, "fr")
    for text in ("bonjour", "oui", "Livraison à domicile, Délai", "1\u00a0: 3, 2\u00a0: 5", "trop peu de réponses"):
        assert text in table
