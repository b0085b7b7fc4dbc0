"""Tests of pseudonyms: keyed, of one type and domain each, spread over the buckets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.door import IDENTIFIERS
from parcours.know.pseudonyms import buckets_of, checksums, digest_identifiers, digest_objects, types_of

KEY, OTHER = b"k" * 32, b"o" * 32


@given(st.lists(st.text(min_size=1), min_size=1, max_size=20), st.sampled_from(IDENTIFIERS))
def test_a_pseudonym_says_its_type_and_nothing_else(values: list[str], kind: str) -> None:
    pseudonyms, fingerprints = digest_identifiers(kind, values, KEY)
    assert (pseudonyms >= 0).all()
    assert (types_of(pseudonyms) == IDENTIFIERS.index(kind)).all()
    assert len(set(pseudonyms.tolist())) == len(set(values)) == len(set(fingerprints.tolist()))
    assert not (digest_identifiers(kind, values, OTHER)[0] == pseudonyms).any()


def test_the_same_value_is_another_person_in_another_type_or_domain() -> None:
    one = {int(digest_identifiers(kind, ["x"], KEY)[0][0]) for kind in IDENTIFIERS}
    one |= {int(digest_objects(kind, ["x"], KEY)[0]) for kind in ("order", "parcel", "a very long object type indeed")}
    assert len(one) == 7


def test_buckets_are_even_and_frozen() -> None:
    pseudonyms, _ = digest_identifiers("user", [f"C{number}" for number in range(16_000)], KEY)
    counts = np.bincount(buckets_of(pseudonyms), minlength=16)
    assert len(counts) == 16
    assert 850 < counts.min() <= counts.max() < 1150
    assert buckets_of(np.array([0x1F, 0x20, 7])).tolist() == [15, 0, 7]


def test_checksums_hold_every_column() -> None:
    rows = np.arange(12, dtype=np.int64).reshape(3, 4)
    whole = checksums(rows, KEY)
    for place in range(4):
        changed = rows.copy()
        changed[1, place] += 1
        assert (checksums(changed, KEY) == whole).tolist() == [True, False, True]
    assert checksums(rows[:0], KEY).size == 0
