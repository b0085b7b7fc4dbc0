"""What people do on screens: page views, newsletters and the app, as exports."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from parcours.simulate.calendar import DAY_S, END_S, NEVER, START_S, WEEK_S, write_epoch, write_iso
from parcours.simulate.exports import Export, Flaw
from parcours.simulate.life import OFFER_WEEKS, Life
from parcours.simulate.muddle import Muddle, litter, view_more
from parcours.simulate.people import People, name_devices, name_ids, name_mails

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PAGES = ("inspiration", "product", "help")
SESSIONS = 2.0
MESSAGES = 6
APP_ACTIONS = ("Wishlist Updated", "Tracking Viewed")


def export_web(people: People, life: Life, muddle: Muddle, seed: int) -> Export:
    """Return the page views: a first visit for ideas, sessions over the year, and one before each order."""
    random = np.random.default_rng([seed, 5])
    everyone = np.arange(len(people), dtype=np.int64)
    person = np.concatenate([everyone, np.repeat(everyone, random.poisson(SESSIONS, len(people)))])
    start = life.first_s[person] + _within(life, person, random)
    start[: len(people)] = life.first_s
    orders = life.occasions["checkout"]
    before = orders.moment_s - random.integers(600, 2400, len(orders.person))
    after = life.occasions["call_centre"]
    asked = after.moment_s - random.integers(600, 7200, len(after.person))
    views = 1 + random.poisson(2.0, len(person))
    views = np.concatenate([views, np.full(len(before), 2), np.ones(len(asked), np.int64)])
    kind = np.where(random.random(len(person)) < 0.05, 2, 1)
    kind[: len(people)] = 0
    kind = np.concatenate([kind, np.ones(len(before), np.int64), np.full(len(asked), 2)])
    person = np.concatenate([person, orders.person, after.person])
    start = np.concatenate([start, before, asked])
    own = _place_views(
        people, life, (np.repeat(person, views), np.repeat(start, views), np.repeat(kind, views)), random
    )
    account, device, moment = view_more(people, muddle, seed)
    more = account, device, moment, np.ones(len(account), np.int64)
    account, device, moment, kind = (np.concatenate(columns) for columns in zip(own, more, strict=True))
    order = np.argsort(moment, kind="stable")
    columns = {
        "view_id": pa.array(np.arange(len(order), dtype=np.int64)),
        "viewed_ms": write_epoch(moment[order]),
        "cookie": name_devices(device[order]),
        "customer": litter("web.parquet", "customer", name_ids("C", account[order]), seed),
        "page_kind": pa.array(PAGES).take(pa.array(kind[order])),
    }
    return Export(file="web.parquet", columns=columns)


def _place_views(
    people: People, life: Life, views: tuple[Ints, Ints, Ints], random: np.random.Generator
) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the account (−1: not signed in), the device, the moment and the kind of every page view."""
    person, start, kind = views
    fresh = np.concatenate([[True], (person[1:] != person[:-1]) | (start[1:] != start[:-1])])
    place = np.arange(len(person)) - np.maximum.accumulate(np.where(fresh, np.arange(len(person)), 0))
    moment = start + place * 45 + random.integers(0, 40, len(person))
    kind = np.where((place == 0) & (kind == 1) & (random.random(len(person)) < 0.25), 0, kind)
    kept = moment < life.last_s[person]
    order = np.flatnonzero(kept)[np.argsort(moment[kept], kind="stable")]
    person, moment, kind = person[order], moment[order], kind[order]
    opened = life.account_s[person]
    logged = (opened != NEVER) & (moment >= opened) & (random.random(len(person)) < 0.5)
    second = people.second_device[person]
    device = np.where((second >= 0) & (random.random(len(person)) < 0.3), second, people.device[person])
    return np.where(logged, person, -1), device, moment, kind


def _within(life: Life, person: Ints, random: np.random.Generator) -> Ints:
    """Return a delay that keeps each row inside its customer's year."""
    span = np.maximum(life.last_s[person] - life.first_s[person], 60)
    delay: Ints = (random.random(len(person)) * span).astype(np.int64)
    return delay


def export_emails(people: People, life: Life, seed: int) -> Export:
    """Return the newsletters of subscribers, and the spring offer of those who were to receive it."""
    random = np.random.default_rng([seed, 6])
    person = np.repeat(np.flatnonzero(people.subscribed), MESSAGES)
    sent = life.first_s[person] + _within(life, person, random)
    offered = np.flatnonzero(people.arm == 1)
    person = np.concatenate([person, offered])
    sent = np.concatenate([sent, np.full(len(offered), START_S + OFFER_WEEKS[0] * WEEK_S + 9 * 3600)])
    campaign = np.concatenate([np.zeros(len(person) - len(offered), np.int64), np.ones(len(offered), np.int64)])
    kept = sent < life.last_s[person]
    order = np.flatnonzero(kept)[np.argsort(sent[kept], kind="stable")]
    person, sent, campaign = person[order], sent[order], campaign[order]
    opened = np.where(random.random(len(person)) < 0.35, sent + random.integers(300, DAY_S, len(person)), NEVER)
    opened = np.where(opened < life.last_s[person], opened, NEVER)
    clicks = (opened != NEVER) & (random.random(len(person)) < 0.25)
    clicked = np.where(clicks, opened + random.integers(5, 120, len(person)), NEVER)
    columns = {
        "message": name_ids("M", np.arange(len(person), dtype=np.int64), 8),
        "sent_at": write_iso(sent),
        "opened_at": write_iso(opened),
        "clicked_at": write_iso(clicked),
        "email": name_mails(person),
        "cookie": name_devices(np.where(clicks, people.device[person], -1)),
        "campaign": pa.array(("ideas", "spring_offer")).take(pa.array(campaign)),
    }
    flaws = (Flaw("sent_at", "hier soir", "bad_date"), Flaw("message", "", "missing_key"))
    return Export(file="emails.jsonl.gz", columns=columns, flaws=flaws)


def export_app(people: People, life: Life, seed: int) -> Export:
    """Return what people do in the app: wish lists, and the tracking of orders that will be delivered."""
    random = np.random.default_rng([seed, 7])
    wisher = np.repeat(np.flatnonzero(people.has_app), random.poisson(1.5, int(people.has_app.sum())))
    wished = life.first_s[wisher] + _within(life, wisher, random)
    deliveries = life.occasions["delivery"]
    looks = np.repeat(np.arange(len(deliveries.person)), random.poisson(1.5, len(deliveries.person)))
    placed = life.occasions["checkout"].moment_s[looks]
    looked = placed + (random.random(len(looks)) * (deliveries.moment_s[looks] - placed)).astype(np.int64)
    person = np.concatenate([wisher, deliveries.person[looks]])
    moment = np.concatenate([wished, looked])
    order_no = np.concatenate([np.full(len(wisher), -1, np.int64), looks])
    kept = moment < np.minimum(life.last_s[person], END_S)
    order = np.flatnonzero(kept)[np.argsort(moment[kept], kind="stable")]
    person, order_no, moment = person[order], order_no[order], moment[order]
    # Nobody has a customer number before their account.
    signed_in = (life.account_s[person] != NEVER) & (moment >= life.account_s[person])
    columns = {
        "id": name_ids("A", np.arange(len(person), dtype=np.int64), 8),
        "at": write_iso(moment),
        "customer": name_ids("C", np.where(signed_in, person, -1)),
        "device": litter("app.jsonl.gz", "device", name_devices(people.device[person]), seed),
        "action": pa.array(APP_ACTIONS).take(pa.array((order_no >= 0).astype(np.int64))),
        "order": name_ids("W", order_no),
    }
    return Export(file="app.jsonl.gz", columns=columns)
