"""Tests of the Merkle tree: the known answers of RFC 6962, and proofs that hold for what is true and nothing else."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.audit.merkle import (
    EMPTY,
    grow,
    hash_leaf,
    hash_node,
    hash_span,
    prove_consistency,
    prove_inclusion,
    root_of,
    shows_consistency,
    shows_inclusion,
)

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "150"))
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Roots of the first leaves of `INPUTS`, as the test data of certificate-transparency has them."""


def leaves_of(count: int) -> list[bytes]:
    return [hash_leaf(b"%d" % number) for number in range(count)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1, word for word."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hash_node(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def test_roots_are_those_of_the_published_test_data() -> None:
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    leaves = [hash_leaf(bytes.fromhex(text)) for text in INPUTS]
    for size, root in ROOTS.items():
        assert hash_span(leaves[:size]).hex() == root


@settings(max_examples=EXAMPLES, deadline=None)
@given(count=st.integers(0, 70))
def test_growing_gives_the_root_of_the_definition(count: int) -> None:
    leaves, peaks = leaves_of(count), ()
    for size, leaf in enumerate(leaves):
        peaks = grow(peaks, size, leaf)
    assert root_of(peaks) == recursive_root(leaves)
    assert len(peaks) == count.bit_count()


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data(), count=st.integers(1, 70))
def test_a_leaf_is_proved_in_its_place_and_nowhere_else(data: st.DataObject, count: int) -> None:
    leaves = leaves_of(count)
    place = data.draw(st.integers(0, count - 1))
    other = data.draw(st.integers(0, count - 1))
    path = prove_inclusion(lambda first, last: hash_span(leaves[first:last]), place, count)
    root = recursive_root(leaves)
    assert shows_inclusion(leaves[place], place, count, path, root)
    assert shows_inclusion(leaves[other], other, count, path, root) == (other == place)
    assert not shows_inclusion(leaves[place], place, count, path, leaves[place] if count > 1 else EMPTY)
    if path:
        assert not shows_inclusion(leaves[place], place, count, path[:-1], root)
        assert not shows_inclusion(leaves[place], place, count, (*path, root), root)


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data(), count=st.integers(1, 70))
def test_growth_is_proved_and_a_rewritten_past_is_not(data: st.DataObject, count: int) -> None:
    leaves = leaves_of(count)
    earlier = data.draw(st.integers(0, count))
    before, root = recursive_root(leaves[:earlier]), recursive_root(leaves)
    path = prove_consistency(lambda first, last: hash_span(leaves[first:last]), earlier, count)
    assert shows_consistency(earlier, count, path, before, root)
    if earlier:
        altered = data.draw(st.integers(0, earlier - 1))
        rewritten = [*leaves[:altered], hash_leaf(b"altered"), *leaves[altered + 1 :]]
        forged = prove_consistency(lambda first, last: hash_span(rewritten[first:last]), earlier, count)
        assert not shows_consistency(earlier, count, forged, before, recursive_root(rewritten))
        assert not shows_consistency(earlier, count, (*path, root), before, root)
