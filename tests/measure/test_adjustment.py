"""Tests of adjustment sets: in any linear blueprint, holding them equal gives exactly the total effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.measure.adjustment import choose_controls, find_reaching, trace_ancestors

CHAIN = {"stock": (), "picking": ("stock",), "carrier": ("picking",), "absence": (), "backlog": ("absence",)}


def test_a_chain_holds_parents_and_never_a_step_between() -> None:
    assert choose_controls("picking", CHAIN, ("carrier", "backlog")) == ("stock", "backlog")
    assert choose_controls("stock", CHAIN, ("carrier", "backlog")) == ("backlog",)
    assert choose_controls("carrier", CHAIN, ("carrier", "backlog")) == ("picking", "backlog")


def test_what_else_moves_a_step_between_is_held_for_precision() -> None:
    arrows = {"first": (), "weather": (), "carrier": ("first", "weather")}
    assert choose_controls("first", arrows, ("carrier",)) == ("weather",)


def test_what_reaches_a_touchpoint_goes_through_what_it_feeds() -> None:
    assert find_reaching(CHAIN, ("carrier",)) == ("stock", "picking", "carrier")
    assert find_reaching(CHAIN, ()) == ()
    assert trace_ancestors(["nowhere"], CHAIN) == set()


@st.composite
def blueprints(draw: st.DrawFn) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], int]:
    size = draw(st.integers(2, 7))
    names = [f"o{number}" for number in range(size)]
    parents = {name: tuple(other for other in names[:place] if draw(st.booleans())) for place, name in enumerate(names)}
    supporters = tuple(name for name in names if draw(st.booleans())) or (names[-1],)
    return parents, supporters, draw(st.integers(0, 10**6))


@settings(max_examples=150, deadline=None)
@given(blueprints())
def test_the_population_slope_is_the_total_effect(
    blueprint: tuple[dict[str, tuple[str, ...]], tuple[str, ...], int],
) -> None:
    parents, supporters, seed = blueprint
    random = np.random.default_rng(seed)
    place = {name: number for number, name in enumerate(parents)}
    score = len(place)
    arrows = np.zeros((score + 1, score + 1))
    for name, before in parents.items():
        for other in before:
            arrows[place[name], place[other]] = random.uniform(0.3, 1) * random.choice([-1, 1])
    for name in supporters:
        arrows[score, place[name]] = random.uniform(0.3, 1)
    totals = np.linalg.inv(np.eye(score + 1) - arrows)
    covariance = totals @ np.diag(random.uniform(0.5, 2, score + 1)) @ totals.T
    for name in find_reaching(parents, supporters):
        columns = [place[name], *(place[other] for other in choose_controls(name, parents, supporters))]
        slope = np.linalg.solve(covariance[np.ix_(columns, columns)], covariance[columns, score])[0]
        assert slope == pytest.approx(totals[score, place[name]], abs=1e-8)
