"""Parameter values come back from an engine as they went in."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.engine.sql.literals import quote_text, write_literal
from parcours.errors import ParcoursError

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


FEW = settings(deadline=None, max_examples=20)


def read_duckdb(values: list[Any]) -> list[Any]:
    written = ", ".join(write_literal("x", value, "duckdb") for value in values)
    return list(duckdb.sql(f"select {written}").fetchall()[0])


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=30))
def test_duckdb_reads_back_any_text(texts: list[str]) -> None:
    assert read_duckdb(texts) == texts


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=30))
def test_clickhouse_reads_back_any_text(texts: list[str]) -> None:
    chdb = pytest.importorskip("chdb", reason="the extra clickhouse is not installed")
    bytes_read = ", ".join(f"lower(hex({quote_text(text, 'clickhouse')}))" for text in texts)
    answer = str(chdb.query(f"select arrayStringConcat([{bytes_read}], ',')", "TSVRaw"))
    assert answer.rstrip("\n").split(",") == [text.encode().hex() for text in texts]


@FEW
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=30))
def test_integers_stay_exact(values: list[int]) -> None:
    assert read_duckdb(values) == values


@FEW
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_floats_stay_exact(values: list[float]) -> None:
    assert read_duckdb(values) == values


def test_booleans_and_nulls_have_their_words() -> None:
    assert (write_literal("x", True, "duckdb"), write_literal("x", None, "clickhouse")) == ("TRUE", "NULL")


def test_a_list_becomes_the_inside_of_in() -> None:
    assert write_literal("x", (1, -2), "clickhouse") == "1, -2"
    assert write_literal("x", ("a", "l'été"), "duckdb") == "'a', 'l''été'"


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**63, "a\0b", (math.nan,)])
def test_what_no_engine_holds_is_refused(value: object) -> None:
    with pytest.raises(ParcoursError) as caught:
        write_literal("x", value, "duckdb")  # type: ignore[arg-type]
    assert caught.value.code == "parameter_not_writable"
    assert "$x" in str(caught.value)
