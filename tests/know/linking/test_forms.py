"""Tests of comparable forms: the same value written in many ways has one form, and what says nothing has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.blueprint.records import Compared
from parcours.know.linking.forms import form

KINDS: tuple[Compared, ...] = ("name", "date", "postcode", "place", "mail", "phone", "code")


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("name", ["Lefèvre-Martin", "LEFEVRE  MARTIN", "lefèvre martin."], "lefevre martin"),
        ("name", ["Œuvrard", "OEUVRARD"], "oeuvrard"),
        ("date", ["1984-02-29", "29/02/1984", "19840229", "29.2.1984", "1984-02-29T00:00:00Z"], "19840229"),
        ("postcode", ["69 001", "69001"], "69001"),
        ("place", ["12, rue des Lilas", "12 RUE DES LILAS"], "12 rue des lilas"),
        ("mail", [" Claire@Maison.fr "], "claire@maison.fr"),
        ("phone", ["06 01 02 03 04", "+33601020304", "0601020304"], "601020304"),
        ("code", ["AB-12", "ab12"], "ab12"),
    ],
)
def test_many_ways_to_write_have_one_form(kind: Compared, texts: list[str], expected: str) -> None:
    assert {form(kind)(text) for text in texts} == {expected}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "   ", "...", "--"])
def test_what_says_nothing_has_no_form(kind: Compared, text: str) -> None:
    assert form(kind)(text) is None


@given(st.sampled_from(KINDS), st.text(max_size=200))
def test_any_text_has_a_form_or_none(kind: Compared, text: str) -> None:
    found = form(kind)(text)
    assert found is None or found.strip()
