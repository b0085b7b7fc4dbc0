"""What happens to the customers: who makes each visit of the draw, when, and how they come and go."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from parcours.simulate.calendar import DAY_S, END_S, NEVER, START_S, in_week, open_hours, week_of
from parcours.simulate.panel import Draw, Visits
from parcours.simulate.people import People, choose_people

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OFFER_WEEKS = (14, 18)
OFFER_LIFT = 1.3
"""The spring offer multiplies the chance of an order in these weeks (the second one excluded)."""

BAD_FEELING = 3
LEAVE_AFTER_BAD = 0.40
LEAVE_OTHERWISE = 0.08
"""How many go for good after their last delivery, by how it felt (0–10)."""


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """The visits of one touchpoint once they have people and moments: one row each, in the draw's order."""

    visits: Visits
    person: Ints
    moment_s: Ints


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """The year of the firm.

    ``occasions`` by touchpoint; ``first_s`` and ``last_s`` bound each customer's year; ``left`` are those who go for
    good, and ``settled`` those whose last delivery is old enough to tell; ``account_s`` is when an account was opened
    (`NEVER`: not yet).
    """

    occasions: dict[str, Occasion]
    first_s: Ints
    last_s: Ints
    left: Bools
    settled: Bools
    account_s: Ints


def live(draw: Draw, people: People, seed: int) -> Life:
    """Give every visit of the draw a person and a moment, and every person a year."""
    random = np.random.default_rng([seed, 4])
    occasions = {"checkout": _place_orders(draw.visits["checkout"], people, random)}
    orders = occasions["checkout"]
    delivery = draw.visits["delivery"]
    placed = orders.moment_s[: len(delivery.site)]
    arrival = open_hours((placed - START_S) // DAY_S * DAY_S + START_S + DAY_S, random, 9, 19)
    arrival += random.integers(0, 2, len(arrival)) * DAY_S
    occasions["delivery"] = Occasion(visits=delivery, person=orders.person[: len(placed)], moment_s=arrival)
    shop = draw.visits["store_visit"]
    shopper = choose_people(shop.site, people.home, people.eager, random)
    occasions["store_visit"] = Occasion(visits=shop, person=shopper, moment_s=in_week(shop.week, random))
    occasions["till"] = _pay_in_store(draw.visits["till"], occasions["store_visit"], random)
    occasions["click_collect"] = _collect_orders(draw.visits["click_collect"], orders, random)
    for name, visits in draw.visits.items():
        if name not in occasions:
            occasions[name] = _place_care(visits, occasions["delivery"], random)
    return _bound_years(occasions, people, random)


def _pay_in_store(visits: Visits, shop: Occasion, random: np.random.Generator) -> Occasion:
    moment = shop.moment_s[visits.origin] + random.integers(300, 3600, len(visits.origin))
    return Occasion(visits=visits, person=shop.person[visits.origin], moment_s=moment)


def _collect_orders(visits: Visits, orders: Occasion, random: np.random.Generator) -> Occasion:
    """Return the collections, the day after the order."""
    placed = orders.moment_s[visits.origin]
    tomorrow = placed - (placed - START_S) % DAY_S + DAY_S
    return Occasion(visits=visits, person=orders.person[visits.origin], moment_s=open_hours(tomorrow, random, 9, 19))


def _place_orders(visits: Visits, people: People, random: np.random.Generator) -> Occasion:
    """Return the orders: placed early enough in the week to be delivered in it; the spring offer lifts its weeks."""
    person = choose_people(visits.site, people.home, people.eager, random)
    offered = people.eager * np.where(people.arm == 1, OFFER_LIFT, 1.0)
    other = choose_people(visits.site, people.home, offered, random)
    during = (visits.week >= OFFER_WEEKS[0]) & (visits.week < OFFER_WEEKS[1])
    return Occasion(
        visits=visits, person=np.where(during, other, person), moment_s=in_week(visits.week, random, days=5)
    )


def _place_care(visits: Visits, deliveries: Occasion, random: np.random.Generator) -> Occasion:
    """Return what follows a delivery: in its own week, or a few hours after it when the year is nearly over."""
    arrival = deliveries.moment_s[visits.origin]
    soon = arrival + random.integers(3600, 3 * 3600, len(arrival))
    moment = np.where(week_of(arrival) == visits.week, soon, in_week(visits.week, random))
    return Occasion(visits=visits, person=deliveries.person[visits.origin], moment_s=moment)


def _bound_years(occasions: dict[str, Occasion], people: People, random: np.random.Generator) -> Life:
    """Find each customer's first and last moments, who opens an account, and who goes after the last delivery."""
    count = len(people)
    earliest = np.full(count, END_S, np.int64)
    latest = np.full(count, NEVER, np.int64)
    for occasion in occasions.values():
        np.minimum.at(earliest, occasion.person, occasion.moment_s)
        np.maximum.at(latest, occasion.person, occasion.moment_s)
    known = latest != NEVER
    wander = (random.exponential(12 * DAY_S, count) + 3600).astype(np.int64)
    stroll = random.integers(START_S, END_S - 7 * DAY_S, count)
    first = np.where(known, np.maximum(earliest - wander, START_S + random.integers(0, 3600, count)), stroll)
    first = np.minimum(first, np.where(known, earliest - 60, first))
    opened = np.where(known, earliest - 30, first + random.integers(3600, 40 * DAY_S, count))
    opens = known | (random.random(count) < 0.4)
    account = np.where(opens & (opened < END_S), opened, NEVER)
    left, settled = _decide_departures(occasions["delivery"], count, random)
    last = np.where(left, np.maximum(latest, account) + random.integers(DAY_S, 6 * DAY_S, count), END_S)
    return Life(
        occasions=occasions,
        first_s=first,
        last_s=np.minimum(last, END_S),
        left=left,
        settled=settled,
        account_s=account,
    )


def last_feeling(deliveries: Occasion, count: int) -> Ints:
    """Return how each customer's last delivery felt; −1 for those who had none."""
    order = np.argsort(deliveries.moment_s, kind="stable")
    felt = np.full(count, -1, np.int64)
    felt[deliveries.person[order]] = deliveries.visits.feeling[order]
    return felt


def _decide_departures(deliveries: Occasion, count: int, random: np.random.Generator) -> tuple[Bools, Bools]:
    felt = last_feeling(deliveries, count)
    last = np.full(count, NEVER, np.int64)
    np.maximum.at(last, deliveries.person, deliveries.moment_s)
    settled = (felt >= 0) & (last < END_S - 56 * DAY_S)
    chance = np.where(felt <= BAD_FEELING, LEAVE_AFTER_BAD, LEAVE_OTHERWISE)
    return settled & (random.random(count) < chance), settled
