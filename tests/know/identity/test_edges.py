"""Tests of edges: what was seen comes back, only what was withdrawn goes, and an altered block is named."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.errors import ParcoursError
from parcours.know.identity.edges import Edges
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.settings import Settings

SEEN = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 2**62), st.integers(0, 2**62)), max_size=12)


def open_edges(folder: Path) -> Edges:
    return Edges(open_state(folder), open_keys(folder, Settings())[0])


def note(edges: Edges, seen: list[tuple[int, int, int]]) -> None:
    table = np.array(seen, np.int64).reshape(-1, 3)
    edges.note(table[:, 0], table[:, 1], table[:, 2])


@settings(max_examples=20, deadline=None)
@given(st.lists(SEEN, max_size=4), st.lists(st.integers(1, 30), max_size=10))
def test_what_was_seen_comes_back_but_for_what_was_withdrawn(
    blocks: list[list[tuple[int, int, int]]], gone: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        edges = open_edges(Path(scratch))
        for block in blocks:
            note(edges, block)
            edges.settle()
        edges.withdraw(np.array(gone, np.int64))
        found = open_edges(Path(scratch)).read()
    expected = [line for block in blocks for line in block if line[0] not in gone]
    assert sorted(map(tuple, found.tolist())) == sorted(expected)


def test_the_version_tells_every_change(tmp_path: Path) -> None:
    edges = open_edges(tmp_path)
    versions = [edges.version()]
    for step in ([(1, 2, 3)], [(2, 2, 3)]):
        note(edges, step)
        edges.settle()
        versions.append(edges.version())
    edges.withdraw(np.array([2]))
    versions.append(edges.version())
    edges.withdraw(np.array([1]))
    versions.append(edges.version())
    assert all(one != other for one, other in itertools.pairwise(versions))


@pytest.mark.parametrize("change", ["body = zeroblob(length(body))", "seen = 1", "checksum = zeroblob(16)"])
def test_an_altered_block_is_named(tmp_path: Path, change: str) -> None:
    edges = open_edges(tmp_path)
    note(edges, [(1, 2, 3), (2, 4, 5)])
    edges.settle()
    open_state(tmp_path).execute(f"UPDATE edges SET {change}")
    with pytest.raises(ParcoursError, match="state_damaged"):
        edges.read()


@pytest.mark.parametrize("change", ["DELETE FROM edges WHERE block_no = 1", "DELETE FROM edges"])
def test_a_lost_block_shows(tmp_path: Path, change: str) -> None:
    edges = open_edges(tmp_path)
    for seen in ([(1, 2, 3)], [(2, 4, 5)]):
        note(edges, seen)
        edges.settle()
    open_state(tmp_path).execute(change)
    with pytest.raises(ParcoursError, match="row_damaged"):
        edges.read()
