"""Row keys: equal rows and only they share one, whatever array holds them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect.row_keys import hash_rows

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=20)


@settings(deadline=None)
@given(texts=TEXTS, seed=st.integers(0, 2**63 - 1))
def test_equal_texts_and_only_they_have_equal_hashes(texts, seed) -> None:
    hashes = hash_rows([pa.array(texts, pa.string())], seed)
    assert (hashes >= 0).all()
    assert len(set(hashes.tolist())) == len(set(texts))
    again = hash_rows([pa.array([None, *texts], pa.string()).slice(1)], seed)
    assert again.tolist() == hashes.tolist()


def test_the_order_of_columns_the_borders_of_cells_and_the_seed_count() -> None:
    def of(*cells: str, seed: int = 1) -> int:
        return int(hash_rows([pa.array([cell]) for cell in cells], seed)[0])

    assert len({of("ab", "c"), of("a", "bc"), of("c", "ab"), of("abc", ""), of("ab", "c", seed=2)}) == 5
    assert of("x" * 5000) != of("x" * 4999 + "y")
    assert of("a\0") != of("a")


def test_a_million_different_keys_do_not_meet() -> None:
    keys = pa.array([f"O{number}" for number in range(1_000_000)])
    hashes = hash_rows([keys], 7)
    assert len(np.unique(hashes)) == 1_000_000
    assert abs(float((hashes >> 57).mean()) - 31.5) < 0.1


def test_the_numbers_are_frozen_for_they_are_kept() -> None:
    texts = ["", None, "a", "abcdefgh", "abcdefghi", "é" * 9, "x" * 4096, "x" * 4097, "\0"]
    assert hash_rows([pa.array(texts)], 42).tolist() == [
        6839728766377637706,
        2730633700032836212,
        2616751560728753158,
        4238534870386003592,
        4434317622480772495,
        114947313695590280,
        9092192891186414058,
        746415331283820869,
        7209759517508134512,
    ]
    assert hash_rows([pa.array(texts), pa.array(texts[::-1])], 7)[:2].tolist() == [
        3167463324503697363,
        4903757497701907679,
    ]
