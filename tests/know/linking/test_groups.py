"""Tests of groups: who is compared shares what strangers seldom share, and every field can be learnt somewhere."""

from __future__ import annotations

import random

import pyarrow as pa

from parcours.blueprint.records import Comparison
from parcours.know.linking.groups import choose_groups
from parcours.know.linking.records import RECORD, column_of

COMPARE = (
    Comparison(field="first", compare="name"),
    Comparison(field="last", compare="name"),
    Comparison(field="born", compare="date"),
    Comparison(field="town", compare="place"),
    Comparison(field="mail", compare="mail"),
)


def make_records(count: int, towns: int = 3) -> pa.Table:
    draw = random.Random(3)
    columns = {
        "first": [f"f{draw.randrange(40)}" for _ in range(count)],
        "last": [f"l{draw.randrange(300)}" for _ in range(count)],
        "born": [f"b{draw.randrange(9000)}" for _ in range(count)],
        "town": [f"t{draw.randrange(towns)}" for _ in range(count)],
        "mail": [f"m{number}" for number in range(count)],
    }
    return pa.table({RECORD: list(range(count)), **{column_of(name): values for name, values in columns.items()}})


def test_a_group_is_small_and_never_a_value_that_many_share() -> None:
    groups = choose_groups(make_records(20_000), COMPARE)
    assert ("born",) in groups.block
    assert not [group for group in groups.block if set(group) <= {"town", "first"}]
    for one in groups.block:
        assert not [other for other in groups.block if other != one and set(other) < set(one)]


def test_an_identifier_is_no_group_for_whoever_shares_it_is_one_person_already() -> None:
    groups = choose_groups(make_records(2_000), COMPARE)
    assert not [group for group in (*groups.block, *groups.sure) if "mail" in group]


def test_what_is_learnt_from_leaves_every_field_out_once() -> None:
    groups = choose_groups(make_records(20_000), COMPARE)
    assert not set.intersection(*map(set, groups.training))


def test_declared_groups_stand_as_they_are() -> None:
    assert choose_groups(make_records(500), COMPARE, [("last", "town")]).block == (("last", "town"),)


def test_values_that_all_share_still_give_one_group() -> None:
    assert len(choose_groups(make_records(5_000, towns=1), COMPARE[3:4] + COMPARE[:1]).block) == 1
