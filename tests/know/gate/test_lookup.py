"""Tests of the look-up of pseudonyms: it finds what a dictionary finds, however they meet in its slots."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.gate.admission import Standing, is_stamped
from parcours.know.gate.lookup import ABSENT, Lookup
from parcours.know.pseudonyms import buckets_of

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "150"))
PSEUDONYMS = st.integers(0, 2**63 - 1) | st.integers(0, 40).map(lambda n: n << 40) | st.integers(0, 300)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(PSEUDONYMS, unique=True, max_size=80), st.lists(PSEUDONYMS, max_size=80))
def test_it_finds_what_a_dictionary_finds(known: list[int], asked: list[int]) -> None:
    pseudonyms = np.array(sorted(known), np.int64)
    lookup, places = Lookup(pseudonyms), {value: place for place, value in enumerate(pseudonyms.tolist())}
    for bucket in range(16):
        mine = np.array([value for value in [*known, *asked] if value % 16 == bucket], np.int64)
        expected = [places.get(value, ABSENT) for value in mine.tolist()]
        assert lookup.find(bucket, mine).tolist() == expected
        assert lookup.find(bucket, np.array([ABSENT])).tolist() == [ABSENT]


def test_a_row_is_seen_with_the_stamp_and_the_consent_of_this_moment() -> None:
    draw = np.random.default_rng(5)
    pseudonyms = np.unique(draw.integers(0, 2**62, 900))
    person = draw.integers(0, 300, len(pseudonyms)).astype(np.int32)
    allowed = draw.random(300) < 0.5
    standing = Standing(pseudonyms, person, allowed)
    held = dict(zip(pseudonyms.tolist(), person.tolist(), strict=True))
    for bucket in range(16):
        mine = pseudonyms[buckets_of(pseudonyms) == bucket]
        subjects = np.concatenate((draw.choice(mine, 50), [ABSENT, bucket + 16 * 12345]))
        permitted = draw.integers(0, 8, len(subjects))
        seen = standing.admit(bucket, subjects, permitted, 1)
        expected = [
            bool(stamp & 2) and (subject == ABSENT or (subject in held and bool(allowed[held[subject]])))
            for subject, stamp in zip(subjects.tolist(), permitted.tolist(), strict=True)
        ]
        assert seen.tolist() == expected
        assert is_stamped(permitted, 1).tolist() == [bool(stamp & 2) for stamp in permitted.tolist()]
        who, allows = standing.of(bucket, subjects)
        assert who.tolist() == [held.get(subject, ABSENT) for subject in subjects.tolist()]
        assert allows.tolist() == [subject in held and bool(allowed[held[subject]]) for subject in subjects.tolist()]


def test_nobody_is_known_where_there_is_nobody() -> None:
    none = np.empty(0, np.int64)
    standing = Standing(none, none.astype(np.int32), none.astype(bool))
    assert standing.admit(3, np.array([3, ABSENT]), np.array([1, 1]), 0).tolist() == [False, True]
