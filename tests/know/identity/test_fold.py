"""Tests of identity: the fold equals its plain definition, limits and never-link hold, shared devices join nobody."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.know.identity.folding import (
    APPROVED,
    BLOCKED,
    DEVICES,
    EDGES,
    KEY,
    LIMIT_SETS,
    NEVER,
    NODES,
    SCORED,
    SHARED,
    Edge,
    evidence,
    fold_plainly,
    groups_of,
    kind_of,
    node,
    run,
)

from parcours.know.identity.fold import LIMITS, Evidence, fold
from parcours.know.identity.verdicts import MERGED, NEVER_LINK, REDUNDANT, REFUSED
from parcours.know.identity.verdicts import SHARED as IS_SHARED

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "150"))
"""How many examples each property tries; the long form is 3,000 and more."""

ASKED: dict[str, Any] = {
    "edges": EDGES, "limits": LIMIT_SETS, "never": NEVER, "approved": APPROVED, "scored": SCORED, "shared": SHARED,
    "blocked": BLOCKED,
}  # fmt: skip


@settings(max_examples=EXAMPLES * 2, deadline=None)
@given(st.fixed_dictionaries(ASKED))
def test_the_fold_equals_its_plain_definition(asked: dict[str, Any]) -> None:
    told = evidence(**asked)
    people = fold(told, KEY)
    groups, verdicts = fold_plainly(told)
    assert groups_of(people) == groups
    assert people.verdicts.tolist() == verdicts


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.fixed_dictionaries(ASKED), st.randoms(use_true_random=False))
def test_order_of_arrival_and_redelivery_change_nothing(asked: dict[str, Any], random: Any) -> None:
    shuffled = [*asked["edges"], *asked["edges"]]
    random.shuffle(shuffled)
    one, other = run(**asked), run(**{**asked, "edges": shuffled})
    assert one.digest() == other.digest()


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.fixed_dictionaries({name: ASKED[name] for name in ("edges", "limits", "never", "scored", "shared", "blocked")})
)
def test_no_person_passes_a_limit(asked: dict[str, Any]) -> None:
    most = [asked["limits"].get(kind, LIMITS[kind]) for kind in LIMITS]
    for group in groups_of(run(**asked)):
        assert all(sum(kind_of(one) == kind for one in group) <= most[kind] for kind in range(4))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.fixed_dictionaries(ASKED))
def test_no_pair_that_must_never_be_one_is(asked: dict[str, Any]) -> None:
    people = run(**asked)
    person = dict(zip(people.pseudonyms.tolist(), people.person.tolist(), strict=True))
    assert all(person[one] != person[other] for one, other in asked["never"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.fixed_dictionaries(ASKED))
def test_a_shared_device_and_one_that_names_nobody_join_nobody(asked: dict[str, Any]) -> None:
    groups = {one: group for group in groups_of(run(**asked)) for one in group}
    assert all(groups[one] == {one} for one in (*asked["shared"], *asked["blocked"]))


def test_people_are_numbered_by_their_earliest_identifier() -> None:
    pseudonyms = np.array(sorted([node("user", 0), node("user", 1), node("mail", 0)]), np.int64)
    seen = np.array([[9, node("user", 1), node("mail", 0)]], np.int64)
    people = fold(Evidence(pseudonyms=pseudonyms, first_seen=np.array([5, 9, 2]), seen=seen), KEY)
    assert people.person.tolist() == [1, 0, 0]
    assert people.count == 2


@pytest.mark.parametrize(
    ("edges", "verdicts"),
    [
        ([(1, node("user", 0), node("mail", 0)), (2, node("user", 1), node("mail", 0))], [MERGED, REFUSED]),
        ([(1, node("user", 0), node("device", 0)), (2, node("user", 1), node("device", 0))], [IS_SHARED] * 2),
        (
            # One person who reads mails logged out is no reason to call the device shared.
            [
                (1, node("mail", 0), node("device", 0)),
                (2, node("user", 0), node("device", 0)),
                (3, node("user", 0), node("mail", 0)),
            ],
            [MERGED, REDUNDANT, MERGED],
        ),
    ],
)
def test_verdicts(edges: list[Edge], verdicts: list[int]) -> None:
    assert run(edges).verdicts.tolist() == verdicts


def test_a_person_who_says_that_two_are_one_overrides_the_limit_for_these_two_alone() -> None:
    one, two, three, mail = node("user", 0), node("user", 1), node("user", 2), node("mail", 0)
    edges = [(1, one, mail), (2, two, mail), (3, three, mail)]
    people = run(edges, approved=[(one, two)])
    assert frozenset({one, two, mail}) in groups_of(people)
    assert people.verdicts.tolist() == [MERGED, MERGED, REDUNDANT, REFUSED]


def test_a_device_beside_more_users_than_one_person_may_have_is_shared_though_two_were_said_to_be_one() -> None:
    one, two, device = node("user", 0), node("user", 1), node("device", 0)
    people = run([(1, one, device), (2, two, device)], approved=[(one, two)])
    assert people.verdicts.tolist() == [MERGED, IS_SHARED, IS_SHARED]
    assert frozenset({one, two}) in groups_of(people)
    assert frozenset({device}) in groups_of(people)


@pytest.mark.parametrize(("kind", "most"), [("user", 1), ("mail", 2), ("phone", 2), ("device", 20)])
def test_one_more_than_a_person_may_have_by_default_is_refused(kind: str, most: int) -> None:
    first = node("mail", 0) if kind == "user" else node("user", 0)
    others = [node(kind, number) for number in range(most + 1)]
    edges = [(place + 1, *sorted((first, other))) for place, other in enumerate(others)]
    pseudonyms = np.array(sorted([first, *others]), np.int64)
    people = fold(Evidence(pseudonyms=pseudonyms, first_seen=np.arange(len(pseudonyms)), seen=np.array(edges)), KEY)
    refused = REFUSED + kind_of(node(kind, 0))
    assert people.verdicts.tolist() == [MERGED] * most + [refused]


def test_never_beats_approved_by_others() -> None:
    one, two, mail = node("user", 0), node("user", 1), node("mail", 0)
    people = run([(1, one, mail)], never=[(mail, two)], approved=[(one, mail), (one, two)])
    assert people.verdicts.tolist() == [MERGED, NEVER_LINK, REDUNDANT]


def test_a_profile_keeps_its_id_when_later_identifiers_join() -> None:
    first = min(NODES, key=lambda one: (NODES.index(one) * 7) % len(NODES))
    user = node("user", 0)
    assert first == user
    alone, together = run(), run([(1, user, node("mail", 1)), (2, user, DEVICES[0])])
    asked = np.array([user, node("mail", 1)])
    assert alone.profiles(asked[:1]).tolist() == together.profiles(asked[:1]).tolist()
    assert len(set(together.profiles(asked).tolist())) == 1
    assert len(set(alone.profiles(asked).tolist())) == 2
    assert len(np.unique(alone.profile_ids)) == alone.count == len(NODES)


def test_what_is_written_otherwise_now_is_the_same_person() -> None:
    old, new, user = node("mail", 0), node("mail", 1), node("user", 0)
    people = run([(1, user, old), (2, new, DEVICES[0])], renamed=[(old, new)])
    assert frozenset({user, old, new, DEVICES[0]}) in groups_of(people)


def test_nobody_is_nobody() -> None:
    assert run(nodes=[]).count == 0
