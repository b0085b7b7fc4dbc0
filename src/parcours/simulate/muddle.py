"""What makes customers hard to tell apart: tablets of the stores, rubbish for ids, second accounts and households."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from parcours.simulate.calendar import DAY_S, END_S, NEVER
from parcours.simulate.life import Life
from parcours.simulate.people import People

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ON_TABLET = 0.06
"""The share of visits to a store in which somebody signs in on its tablet."""

RUBBISH = {
    ("web.parquet", "customer"): ("undefined", 0.004),
    ("app.jsonl.gz", "device"): ("00000000-0000-0000-0000-000000000000", 0.005),
    ("customers.csv.gz", "email"): ("test@example.com", 0.003),
    ("customers.csv.gz", "telephone"): ("0000000000", 0.004),
}
"""What systems write where they know no id, by file and column, and on which share of the rows that have one."""

TILL_MAIL = "caisse@courriel-riviere.example"
"""What clerks write for customers without an address; the blueprint lists it under `blocked`."""

_AT_THE_TILL = 0.004
_SECOND_ACCOUNT = 0.015
_WITH_SAME_PHONE = 0.5
_VIEWS = 3
_HOUSEHOLD = 0.1
_FORGOTTEN = 2_000
_LEAST_FORGOTTEN = 3


class Muddle(msgspec.Struct, frozen=True, kw_only=True):
    """What is planted for whoever tells customers apart.

    Attributes:
        second: The customers who open a second account, whose numbers go on from the last customer.
        second_s, second_phone: When, and which of them give the same phone again.
        household: By customer, the household, −1 for none.
        visitor, tablet, visit_s: Who signs in on a tablet of a store, on which, when.
        forgotten: The customers who ask to be erased.
    """

    second: Ints
    second_s: Ints
    second_phone: Bools
    household: Ints
    visitor: Ints
    tablet: Ints
    visit_s: Ints
    forgotten: Ints


def gather_muddle(people: People, life: Life, seed: int) -> Muddle:
    """Draw it, from a stream of its own: everything else in the firm stays as it is without it."""
    random = np.random.default_rng([seed, 21])
    count = len(people)
    holders = np.flatnonzero(life.account_s != NEVER)
    second = holders[random.random(len(holders)) < _SECOND_ACCOUNT]
    later = life.account_s[second] + random.integers(20 * DAY_S, 200 * DAY_S, len(second))
    in_time = later < np.minimum(life.last_s[second], END_S - 3 * DAY_S)
    second, later = second[in_time], later[in_time]
    shop = life.occasions["store_visit"]
    signs = np.flatnonzero((random.random(len(shop.person)) < ON_TABLET) & (life.account_s[shop.person] != NEVER))
    # Devices go on from the first and second ones of everybody, and those of second accounts.
    tablet = 3 * count + shop.visits.site[signs]
    return Muddle(
        second=second,
        second_s=later,
        second_phone=people.has_phone[second] & (random.random(len(second)) < _WITH_SAME_PHONE),
        household=_find_households(people, random),
        visitor=shop.person[signs],
        tablet=tablet,
        visit_s=shop.moment_s[signs] + random.integers(60, 900, len(signs)),
        forgotten=_choose_forgotten(people, holders, second, random),
    )


def view_more(people: People, muddle: Muddle, seed: int) -> tuple[Ints, Ints, Ints]:
    """Return page views besides (account, device, moment): on tablets, and by those who have a second account."""
    random = np.random.default_rng([seed, 22])
    own = np.repeat(np.arange(len(muddle.second)), _VIEWS)
    seen = muddle.second_s[own] + random.integers(60, 2 * DAY_S, len(own))
    account = np.concatenate((muddle.visitor, len(people) + own))
    device = np.concatenate((muddle.tablet, 2 * len(people) + own))
    return account, device, np.concatenate((muddle.visit_s, seen))


def litter(file: str, column: str, ids: pa.Array, seed: int) -> pa.Array:
    """Write rubbish in the place of some of ``ids``, as the systems of the firm do."""
    value, share = RUBBISH[file, column]
    random = np.random.default_rng([seed, 23, list(RUBBISH).index((file, column))])
    spoilt = pa.array(random.random(len(ids)) < share)
    return pc.if_else(pc.and_(spoilt, pc.is_valid(ids)), value, ids)


def write_at_till(mails: pa.Array, seed: int) -> pa.Array:
    """Write the till's own address for some."""
    random = np.random.default_rng([seed, 24])
    return pc.if_else(pa.array(random.random(len(mails)) < _AT_THE_TILL), TILL_MAIL, mails)


def _find_households(people: People, random: np.random.Generator) -> Ints:
    """Return each customer's household: those who share a device, and some neighbours in the list."""
    count = len(people)
    joins = random.random(count) < _HOUSEHOLD
    joins[people.shared] = True
    joins[0] = False
    first = np.flatnonzero(~joins)
    head = first[np.searchsorted(first, np.arange(count), side="right") - 1]
    number = np.where(np.bincount(head, minlength=count)[head] > 1, head, -1)
    return number.astype(np.int64)


def _choose_forgotten(people: People, holders: Ints, second: Ints, random: np.random.Generator) -> Ints:
    """Return who asks to be erased: a few with one account, one of them with a device that is not theirs alone."""
    lent = np.union1d(people.shared, people.shared - 1)
    once = np.setdiff1d(holders, second)
    # Only where both of a pair sign in does the data show that the device is not one person's.
    both = people.shared[np.isin(people.shared, holders) & np.isin(people.shared - 1, holders)]
    pairs = np.union1d(both, both - 1) if len(both) else lent
    alone, lenders = np.setdiff1d(once, lent), np.intersect1d(once, pairs)
    asked = random.choice(alone, max(_LEAST_FORGOTTEN, len(people) // _FORGOTTEN) - 1, replace=False)
    return np.sort(np.concatenate((asked, lenders[:1])))
