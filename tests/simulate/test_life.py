"""What happens to the customers: visits in their weeks, steps in order, and no sign of life after they have gone."""

from __future__ import annotations

import numpy as np
import pytest

from parcours.simulate.calendar import END_S, NEVER, START_S, week_of
from parcours.simulate.life import (
    BAD_FEELING,
    LEAVE_AFTER_BAD,
    LEAVE_OTHERWISE,
    OFFER_LIFT,
    OFFER_WEEKS,
    Life,
    last_feeling,
    live,
)
from parcours.simulate.panel import draw
from parcours.simulate.people import People, gather_people

CUSTOMERS = 20_000


@pytest.fixture(scope="module")
def firm() -> tuple[People, Life]:
    people = gather_people(CUSTOMERS, 5)
    return people, live(draw(5, 14_000), people, 5)


def test_every_visit_falls_in_its_own_week_near_its_own_store(firm: tuple[People, Life]) -> None:
    people, life = firm
    for name, occasion in life.occasions.items():
        assert np.array_equal(week_of(occasion.moment_s), occasion.visits.week), name
        assert np.array_equal(people.home[occasion.person], occasion.visits.site), name


def test_what_follows_a_delivery_comes_after_it_from_the_same_person(firm: tuple[People, Life]) -> None:
    _, life = firm
    parcels, orders = life.occasions["delivery"], life.occasions["checkout"]
    count = len(parcels.person)
    assert (parcels.moment_s > orders.moment_s[:count]).all()
    assert np.array_equal(parcels.person, orders.person[:count])
    for name in ("call_centre", "refund", "loyalty", "review"):
        care = life.occasions[name]
        assert (care.moment_s > parcels.moment_s[care.visits.origin]).all()
        assert np.array_equal(care.person, parcels.person[care.visits.origin])
        assert len(set(care.visits.origin.tolist())) == len(care.person)


def test_what_is_collected_or_paid_in_store_comes_from_one_order_or_one_visit(firm: tuple[People, Life]) -> None:
    _, life = firm
    for name, source in (("click_collect", "checkout"), ("till", "store_visit")):
        made, before = life.occasions[name], life.occasions[source]
        origin = made.visits.origin
        assert len(set(origin.tolist())) == len(origin)
        assert np.array_equal(made.person, before.person[origin])
        assert (made.moment_s > before.moment_s[origin]).all()
    orders = life.occasions["checkout"].visits
    assert (orders.origin[life.occasions["click_collect"].visits.origin] == -1).all(), "delivered orders stay home"


def test_lives_are_bounded_and_accounts_come_before_purchases(firm: tuple[People, Life]) -> None:
    _, life = firm
    assert (life.first_s >= START_S).all()
    assert (life.last_s <= END_S).all()
    for occasion in life.occasions.values():
        assert (occasion.moment_s > life.first_s[occasion.person]).all()
        assert (life.account_s[occasion.person] != NEVER).all()
        assert (occasion.moment_s >= life.account_s[occasion.person]).all()
        gone = life.left[occasion.person]
        assert (occasion.moment_s[gone] < END_S).all()
    assert (life.account_s == NEVER).sum() > 0, "some people never open an account"


def test_a_bad_last_delivery_makes_people_leave_as_often_as_planted(firm: tuple[People, Life]) -> None:
    _, life = firm
    bad = last_feeling(life.occasions["delivery"], CUSTOMERS) <= BAD_FEELING
    for group, chance in ((life.settled & bad, LEAVE_AFTER_BAD), (life.settled & ~bad, LEAVE_OTHERWISE)):
        share = life.left[group].mean()
        assert abs(share - chance) < 4 * np.sqrt(chance * (1 - chance) / group.sum())
    assert not life.left[~life.settled].any()


def test_the_spring_offer_lifts_orders_as_much_as_planted() -> None:
    people = gather_people(CUSTOMERS, 6)
    orders = live(draw(6, 150_000), people, 6).occasions["checkout"]
    week = orders.visits.week
    during = (week >= OFFER_WEEKS[0]) & (week < OFFER_WEEKS[1])
    eager = people.eager[people.arm == 1].sum() / people.eager[people.arm == 0].sum()

    def compare(chosen: np.ndarray) -> tuple[float, float]:
        bought = np.bincount(orders.person[chosen], minlength=CUSTOMERS)
        treated, held = bought[people.arm == 1].sum(), bought[people.arm == 0].sum()
        return float(treated / held / eager), float(np.sqrt(1 / treated + 1 / held))

    lifted, error = compare(during)
    assert error < 0.03
    assert abs(np.log(lifted / OFFER_LIFT)) < 4 * error
    usual, error = compare(~during)
    assert abs(np.log(usual)) < 4 * error
