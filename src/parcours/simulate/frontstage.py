"""The meetings in front of the line of visibility, and what customers say of them, as exports."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from parcours.simulate.calendar import DAY_S, NEVER, START_S, WEEK_S, write_epoch, write_french, write_iso
from parcours.simulate.comments import write_comments
from parcours.simulate.exports import Export, Flaw
from parcours.simulate.life import OFFER_WEEKS, Life, Occasion
from parcours.simulate.muddle import Muddle, litter, write_at_till
from parcours.simulate.names import name_people, take_names, write_again
from parcours.simulate.people import (
    LANGUAGES,
    SEGMENTS,
    People,
    name_devices,
    name_ids,
    name_mails,
    name_phones,
    name_regions,
    name_sites,
)

Ints = NDArray[np.int64]

SURVEYS = ("delivery", "checkout", "store_visit", "call_centre", "refund", "loyalty", "click_collect", "till")
"""Touchpoints that ask; the reviews are answers of their own."""

_TALKATIVE = 0.5


def export_accounts(people: People, life: Life, muddle: Muddle, seed: int) -> list[Export]:
    """Return the accounts with what their owners allow, those that were closed, and the spring trial."""
    random = np.random.default_rng([seed, 12])
    holders = np.flatnonzero(life.account_s != NEVER)
    told = random.random(len(holders)) < 0.9
    choice = np.where(told, people.personalised[holders], 2).astype(np.int64)
    accounts = _open_accounts(people, life, muddle, (holders, choice), seed)
    gone = np.flatnonzero(life.left & (random.random(len(people)) < 0.3))
    departures = {
        "client": name_ids("C", gone),
        "ferme_le": write_french(life.last_s[gone]),
        # Whoever closes their account allows nothing any more.
        "accord_personnalisation": pa.array(["non"] * len(gone), pa.string()),
    }
    tried = np.flatnonzero((people.arm >= 0) & (life.account_s != NEVER))
    lot = np.full(len(tried), START_S + OFFER_WEEKS[0] * WEEK_S + 8 * 3600)
    trial = {
        "affectation": name_ids("E", np.arange(len(tried))),
        "client": name_ids("C", tried),
        "affecte_le": write_french(lot),
        "campagne": pa.array(["spring_offer"] * len(tried), pa.string()),
        "bras": pa.array(("held_out", "treated")).take(pa.array(people.arm[tried])),
    }
    return [
        Export(file="customers.csv.gz", columns=accounts, flaws=(Flaw("client", "", "missing_key"),)),
        Export(file="departures.csv.gz", columns=departures),
        Export(file="campaigns.csv.gz", columns=trial),
    ]


def _open_accounts(
    people: People, life: Life, muddle: Muddle, opened: tuple[Ints, Ints], seed: int
) -> dict[str, pa.Array]:
    """Return the accounts of holders with their choices, then the second accounts of some, who do not choose again."""
    holders, choice = opened
    owner = np.concatenate((holders, muddle.second))
    account = np.concatenate((holders, len(people) + np.arange(len(muddle.second))))
    device = np.concatenate((people.device[holders], 2 * len(people) + np.arange(len(muddle.second))))
    phone = np.concatenate((people.has_phone[holders], muddle.second_phone))
    file = "customers.csv.gz"
    names = name_people(people, muddle.household, seed)
    once, again = take_names(names, holders), write_again(names, muddle.second, seed)
    return {
        "client": name_ids("C", account),
        "cree_le": write_french(np.concatenate((life.account_s[holders], muddle.second_s))),
        "email": write_at_till(litter(file, "email", name_mails(account), seed), seed),
        "telephone": litter(file, "telephone", name_phones(np.where(phone, owner, -1)), seed),
        "cookie": name_devices(device),
        "anciennete": pa.array(SEGMENTS).take(pa.array(people.segment[owner])),
        "region": name_regions(people.home[owner]),
        "langue": pa.array(LANGUAGES).take(pa.array(people.language[owner])),
        **{name: pa.concat_arrays([once[name], again[name]]) for name in names},
        "foyer": name_ids("F", muddle.household[owner]),
        "accord_personnalisation": pa.array(("non", "oui", None)).take(
            pa.array(np.concatenate((choice, np.full(len(muddle.second), 2))))
        ),
    }


def export_orders(people: People, life: Life, seed: int) -> Export:
    """Return orders: those placed online (delivered, collected, cancelled or under way), then those at the till."""
    random = np.random.default_rng([seed, 13])
    online, tills = life.occasions["checkout"], life.occasions["till"]
    count, paid = len(online.person), len(tills.person)
    pick_up = life.occasions["click_collect"]
    collected = np.full(count, NEVER)
    collected[pick_up.visits.origin] = pick_up.moment_s
    adrift = (online.visits.origin < 0) & (collected == NEVER) & (random.random(count) < 0.3)
    cancelled = np.where(adrift, online.moment_s + random.integers(600, 7200, count), NEVER)
    none, tilled = np.full(paid, NEVER), np.full(count, -1)
    cents = np.rint(np.exp(random.normal(8.8, 0.6, count + paid))).astype(np.int64)
    person = np.concatenate([online.person, tills.person])
    web = np.arange(count + paid) < count
    columns = {
        "commande": pa.concat_arrays([name_ids("W", np.arange(count)), name_ids("S", np.arange(paid))]),
        "creee_le": write_french(np.concatenate([online.moment_s, tills.moment_s])),
        "client": name_ids("C", person),
        "cookie": name_devices(np.where(web, people.device[person], -1)),
        "canal": pa.array(("store", "web")).take(pa.array(web.astype(np.int64))),
        "magasin": name_sites(np.concatenate([online.visits.site, tills.visits.site])),
        "passage": name_ids("G", np.concatenate([tilled, tills.visits.origin])),
        "total_centimes": pa.array(cents),
        "retiree_le": write_french(np.concatenate([collected, none])),
        "annulee_le": write_french(np.concatenate([cancelled, none])),
    }
    flaws = (
        Flaw("creee_le", "31/02/2025 10:00:00", "bad_date"),
        Flaw("creee_le", "n/c", "bad_date"),
        Flaw("commande", "", "missing_key"),
    )
    return Export(file="orders.csv.gz", columns=columns, encoding="cp1252", flaws=flaws)


def export_meetings(people: People, life: Life) -> list[Export]:
    """Return visits to stores, deliveries, calls, refunds and points credited."""
    return [*_meet_in_person(life), *_meet_afterwards(people, life)]


def _meet_in_person(life: Life) -> list[Export]:
    shop, parcels = life.occasions["store_visit"], life.occasions["delivery"]
    visits = {
        "passage": name_ids("G", np.arange(len(shop.person))),
        "heure": write_french(shop.moment_s),
        "client": name_ids("C", shop.person),
        "magasin": name_sites(shop.visits.site),
    }
    deliveries = {
        "colis": name_ids("P", np.arange(len(parcels.person))),
        "commande": name_ids("W", np.arange(len(parcels.person))),
        "client": name_ids("C", parcels.person),
        "magasin": name_sites(parcels.visits.site),
        "livre_le": write_french(parcels.moment_s),
    }
    late = (Flaw("livre_le", "2025-13-45", "bad_date"),)
    return [
        Export(file="store_visits.csv.gz", columns=visits, encoding="cp1252"),
        Export(file="deliveries.csv.gz", columns=deliveries, flaws=late),
    ]


def _meet_afterwards(people: People, life: Life) -> list[Export]:
    calls, refunds = life.occasions["call_centre"], life.occasions["refund"]
    points = life.occasions["loyalty"]
    talks = {
        "ticket": name_ids("T", np.arange(len(calls.person))),
        "ended_at": write_iso(calls.moment_s),
        "customer": name_ids("C", calls.person),
        "caller": name_phones(np.where(people.has_phone[calls.person], calls.person, -1)),
        "order": name_ids("W", calls.visits.origin),
        "site": name_sites(calls.visits.site),
    }
    paid = {
        "refund": pa.array(np.arange(len(refunds.person))),
        "paid_ms": write_epoch(refunds.moment_s),
        "customer": name_ids("C", refunds.person),
        "order": name_ids("W", refunds.visits.origin),
        "site": name_sites(refunds.visits.site),
    }
    credited = {
        "credit": name_ids("L", np.arange(len(points.person))),
        "credited_at": write_iso(points.moment_s),
        "customer": name_ids("C", points.person),
        "order": name_ids("W", points.visits.origin),
        "site": name_sites(points.visits.site),
    }
    return [
        Export(file="calls.jsonl.gz", columns=talks, flaws=(Flaw("ended_at", "0000-00-00T00:00:00Z", "bad_date"),)),
        Export(file="refunds.parquet", columns=paid),
        Export(file="loyalty.jsonl.gz", columns=credited),
    ]


def export_words(people: People, life: Life, seed: int) -> list[Export]:
    """Return the answers to the surveys, with comments, and the reviews."""
    random = np.random.default_rng([seed, 14])
    parts = [_answers(people, life, survey, random) for survey in SURVEYS]
    columns = {name: pa.concat_arrays([part[name] for part in parts]) for name in parts[0]}
    columns = {"answer": name_ids("R", np.arange(len(columns["survey"]))), **columns}
    posted = life.occasions["review"]
    language = people.language[posted.person]
    stars = posted.visits.feeling
    reviews = {
        "review": name_ids("N", np.arange(len(posted.person))),
        "posted_at": write_iso(posted.moment_s),
        "customer": name_ids("C", posted.person),
        "order": name_ids("W", posted.visits.origin),
        "site": name_sites(posted.visits.site),
        "stars": pa.array(stars),
        "text": write_comments("review", stars, language, random),
        "language": pa.array(LANGUAGES).take(pa.array(language)),
    }
    flaws = (Flaw("score", "dix sur dix", "bad_number"), Flaw("answered_at", "demain", "bad_date"))
    return [
        Export(file="surveys.jsonl.gz", columns=columns, flaws=flaws),
        Export(file="reviews.jsonl.gz", columns=reviews),
    ]


def _answers(people: People, life: Life, survey: str, random: np.random.Generator) -> dict[str, pa.Array]:
    occasion = life.occasions[survey]
    row = np.flatnonzero(occasion.visits.answered)
    person = occasion.person[row]
    score = occasion.visits.feeling[row]
    nothing = np.full(len(row), -1)
    comments = write_comments(survey, score, people.language[person], random)
    silent = pa.array(random.random(len(row)) >= _TALKATIVE)
    return {
        "survey": pa.array([survey] * len(row), pa.string()),
        "answered_at": write_iso(occasion.moment_s[row] + random.integers(3600, 3 * DAY_S, len(row))),
        "customer": name_ids("C", person),
        "order": _name_orders(survey, occasion, row),
        "ticket": name_ids("T", row if survey == "call_centre" else nothing),
        "visit": name_ids("G", row if survey == "store_visit" else nothing),
        "score": pa.array(score),
        "comment": pa.array(
            np.where(silent.to_numpy(zero_copy_only=False), None, comments.to_numpy(zero_copy_only=False)), pa.string()
        ),
        "language": pa.array(LANGUAGES).take(pa.array(people.language[person])),
    }


def _name_orders(survey: str, occasion: Occasion, row: Ints) -> pa.Array:
    """Return the order that each answer speaks of; a checkout's row is its order, a till's is the receipt."""
    if survey == "till":
        return name_ids("S", row)
    return name_ids("W", row if survey == "checkout" else occasion.visits.origin[row])
