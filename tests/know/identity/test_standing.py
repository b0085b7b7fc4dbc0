"""Tests of standing: step by step is the same as all at once, an unmerge as a full replay, redelivery as nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.know.identity.folding import (
    APPROVED,
    DEVICES,
    EDGES,
    KEY,
    LIMIT_SETS,
    NEVER,
    NODES,
    PAIRS,
    SCORED,
    SHARED,
    Edge,
    evidence,
    first_seen,
    node,
    table,
)
from tests.know.identity.test_fold import EXAMPLES

from parcours.know.identity.fold import Evidence, fold
from parcours.know.identity.news import News, Rulings
from parcours.know.identity.standing import Standing

RULED = st.fixed_dictionaries({"never": NEVER, "approved": APPROVED, "scored": SCORED, "shared": SHARED})


def news(edges: list[Edge] = [], nodes: list[int] = []) -> News:  # noqa: B006
    asked = np.array(sorted(nodes), np.int64)
    return News(asked, np.array([first_seen(one) for one in sorted(nodes)], np.int64), table(edges, 3))


def rulings_of(told: Evidence) -> Rulings:
    return Rulings(told.scored, told.never, told.approved, told.shared)


def begin(limits: dict[str, int], nodes: list[int], edges: list[Edge] = [], **ruled: Any) -> Standing:  # noqa: B006
    told = evidence(edges, limits, nodes=nodes, **ruled)
    return Standing(fold(told, KEY), rulings_of(told), limits, KEY)


@settings(max_examples=EXAMPLES * 2, deadline=None)
@given(st.lists(st.tuples(EDGES, RULED), min_size=1, max_size=4), st.sampled_from([0, 15, 40]), LIMIT_SETS)
def test_step_by_step_is_the_same_as_all_at_once(
    steps: list[tuple[list[Edge], Any]], apart: int, limits: dict[str, int]
) -> None:
    standing, seen, known = begin(limits, []), [], []
    for turn, (early, ruled) in enumerate(steps):
        # With 40 between them all edges of a step come after all before it, with 15 some do.
        edges = [(number + turn * apart, one, other) for number, one, other in early]
        seen += edges
        # Identifiers come with the edges that show them, and a few alone.
        came = sorted({one for edge in edges for one in edge[1:]} | set(NODES[:: len(steps)]))
        known = sorted({*known, *came})
        told = evidence(seen, limits, nodes=known, **ruled)
        standing.take(news(edges, came), rulings_of(told))
        people, whole = standing.people(), fold(told, KEY)
        assert people.digest() == whole.digest()
        assert people.component.tolist() == whole.component.tolist()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(EDGES, min_size=2, max_size=5), RULED, LIMIT_SETS)
def test_edges_in_the_order_of_events_are_folded_on_from_where_the_others_ended(
    steps: list[list[Edge]], ruled: Any, limits: dict[str, int]
) -> None:
    # Nothing but edges comes in, so that none of these steps folds anything again.
    late = [[(number + turn * 40, one, other) for number, one, other in step] for turn, step in enumerate(steps)]
    seen = late[0]
    standing = begin(limits, NODES, seen, **ruled)
    for step in late[1:]:
        seen = seen + step
        told = evidence(seen, limits, **ruled)
        before = dict(zip(NODES, standing.people().profiles(np.array(NODES)).tolist(), strict=True))
        moved = standing.take(news(step), rulings_of(told))
        people = standing.people()
        assert people.digest() == fold(told, KEY).digest()
        after = dict(zip(NODES, people.profiles(np.array(NODES)).tolist(), strict=True))
        said = zip(moved.pseudonyms.tolist(), moved.old.tolist(), moved.new.tolist(), strict=True)
        assert {one: (old, new) for one, old, new in said if old != new} == {
            one: (before[one], after[one]) for one in NODES if before[one] != after[one]
        }


@settings(max_examples=EXAMPLES, deadline=None)
@given(EDGES, RULED, st.data(), LIMIT_SETS)
def test_an_unmerge_is_a_full_replay_and_tells_who_moved(
    edges: list[Edge], ruled: Any, data: Any, limits: dict[str, int]
) -> None:
    standing = begin(limits, NODES, edges, **ruled)
    before = fold(evidence(edges, limits, **ruled), KEY)
    pair = data.draw(st.sampled_from(PAIRS))
    after = {**ruled, "never": list(dict.fromkeys([*ruled["never"], pair]))}
    told = evidence(edges, limits, **after)
    moved = standing.take(news(), rulings_of(told))
    replayed = fold(told, KEY)
    assert standing.people().digest() == replayed.digest()
    everyone = np.array(NODES)
    went = {
        one: (old, new)
        for one, old, new in zip(
            NODES, before.profiles(everyone).tolist(), replayed.profiles(everyone).tolist(), strict=True
        )
        if old != new
    }
    said = zip(moved.pseudonyms.tolist(), moved.old.tolist(), moved.new.tolist(), strict=True)
    assert {one: (old, new) for one, old, new in said if old != new} == went


@settings(max_examples=EXAMPLES, deadline=None)
@given(EDGES, RULED, LIMIT_SETS, st.randoms(use_true_random=False))
def test_redelivery_and_the_order_of_arrival_change_nothing(
    edges: list[Edge], ruled: Any, limits: dict[str, int], random: Any
) -> None:
    standing = begin(limits, NODES, edges[: len(edges) // 2], **ruled)
    told = evidence(edges, limits, **ruled)
    again = [*edges, *edges[: len(edges) // 2]]
    random.shuffle(again)
    for start in range(0, len(again), 5):
        standing.take(news(again[start : start + 5]), rulings_of(told))
    assert standing.people().digest() == fold(told, KEY).digest()


@settings(max_examples=EXAMPLES, deadline=None)
@given(EDGES, st.lists(st.integers(0, len(NODES) - 1), max_size=8))
def test_a_look_up_says_what_people_say(edges: list[Edge], asked: list[int]) -> None:
    standing = begin({}, NODES[::2], edges)
    standing.take(news([], NODES), rulings_of(evidence()))
    people = standing.people()
    for place in asked:
        assert standing.profile(NODES[place]) == people.profiles(np.array([NODES[place]]))[0]
    assert standing.profile(7) == -1


def test_a_kiosk_costs_no_replay_of_its_users() -> None:
    kiosk, users = DEVICES[0], [node("user", number) for number in range(300)]
    crowd = [(number, user, kiosk) for number, user in enumerate(users)]
    told = Evidence(pseudonyms=np.array([*users, kiosk], np.int64), first_seen=np.arange(301), seen=table(crowd, 3))
    standing = Standing(fold(told, KEY), rulings_of(told), {}, KEY)
    late = node("user", 300)
    fresh = News(np.array([late]), np.array([900]), table([(900, late, kiosk)], 3))
    assert sorted(standing.take(fresh, rulings_of(told)).pseudonyms.tolist()) == [late, kiosk]


def test_an_edge_behind_all_others_folds_no_giant_component_again() -> None:
    mail, users = node("mail", 0), [node("user", number) for number in range(300)]
    crowd = [(number, user, mail) for number, user in enumerate(users)]
    told = Evidence(pseudonyms=np.array([*users, mail], np.int64), first_seen=np.arange(301), seen=table(crowd, 3))
    standing = Standing(fold(told, KEY), rulings_of(told), {}, KEY)
    assert len(np.unique(standing.people().component)) == 1
    late = node("phone", 0)
    fresh = News(np.array([late]), np.array([900]), table([(900, users[7], late)], 3))
    assert sorted(standing.take(fresh, rulings_of(told)).pseudonyms.tolist()) == [users[7], late]
