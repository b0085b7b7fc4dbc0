"""The customers: a store each, ids that belong to one person alone, and a few shared devices."""

from __future__ import annotations

import numpy as np
import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.simulate.people import (
    SITES,
    choose_people,
    gather_people,
    name_devices,
    name_mails,
    name_phones,
    name_regions,
)


@given(st.integers(100, 3_000), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_every_store_has_customers_and_shared_devices_have_two_owners(customers: int, seed: int) -> None:
    people = gather_people(customers, seed)
    assert len(people) == customers
    assert np.bincount(people.home, minlength=len(SITES)).min() >= customers // len(SITES)
    owners = np.bincount(people.device, minlength=customers)
    assert owners.max() <= 2
    assert (owners == 2).sum() == len(people.shared)
    assert len(name_regions(people.home).unique()) == 4


def test_ids_belong_to_one_person_alone() -> None:
    numbers = np.arange(50_000)
    for ids in (name_mails(numbers), name_phones(numbers), name_devices(numbers)):
        assert len(ids.unique()) == len(numbers)
    assert name_phones(np.array([-1])).to_pylist() == [None]


def test_phone_numbers_are_valid_in_form_and_kept_for_fiction() -> None:
    for phone in name_phones(np.array([0, 10_001, 29_999, 49_999])).to_pylist():
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone))


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_people_are_chosen_at_their_own_store_in_proportion_to_weight(seed: int) -> None:
    random = np.random.default_rng(seed)
    people = gather_people(300, seed)
    weight = np.where(np.arange(300) % 2 == 0, 3.0, 1.0)
    site = random.integers(0, len(SITES), 30_000)
    chosen = choose_people(site, people.home, weight, random)
    assert np.array_equal(people.home[chosen], site)
    expected = sum(
        3.0 * (b := ((people.home == s) & (weight == 3)).sum()) / (3.0 * b + ((people.home == s).sum() - b))
        for s in range(len(SITES))
    ) / len(SITES)
    assert abs((weight[chosen] == 3).mean() - expected) < 0.02
