"""The customers of the firm: who they are, where they shop, their devices, what they allow, and when they go."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SITES = (
    *("Amiens", "Angers", "Annecy", "Avignon", "Bayonne", "Besançon", "Bordeaux", "Brest", "Caen", "Clermont-Ferrand"),
    *("Dijon", "Grenoble", "La Rochelle", "Le Mans", "Lille", "Limoges", "Lyon", "Marseille", "Metz", "Montpellier"),
    *("Nancy", "Nantes", "Nice", "Nîmes", "Orléans", "Reims", "Rennes", "Strasbourg", "Toulouse", "Tours"),
)
"""The stores; each prepares the home deliveries of its own area."""

REGIONS = ("north", "south", "east", "west")
_REGION_OF = (0, 3, 2, 1, 1, 2, 1, 3, 0, 2, 2, 2, 3, 3, 0, 1, 2, 1, 2, 1, 2, 3, 1, 1, 0, 2, 3, 2, 1, 3)
SEGMENTS = ("new", "regular", "loyal")
LANGUAGES = ("fr", "en")

_FICTION = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
"""Number ranges that the French regulator keeps for fiction; ten thousand numbers each."""


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Customers by number, one row each.

    ``device`` and ``second_device`` (−1: none) are device numbers; ``eager`` is how often somebody buys, relative to
    others; ``arm`` is 1 for the spring offer, 0 for held out, −1 for not in the trial.
    """

    home: Ints
    segment: Ints
    language: Ints
    subscribed: Bools
    personalised: Bools
    has_phone: Bools
    has_app: Bools
    device: Ints
    second_device: Ints
    eager: Floats
    arm: Ints
    shared: Ints

    def __len__(self) -> int:
        return len(self.home)


def gather_people(customers: int, seed: int) -> People:
    """Draw ``customers`` people; two in a hundred share the device of the person before them (``shared``)."""
    random = np.random.default_rng([seed, 3])
    everyone = np.arange(customers, dtype=np.int64)
    device = everyone.copy()
    shared = everyone[1:][random.random(customers - 1) < 0.02]
    shared = shared[np.diff(shared, prepend=-5) > 1]
    device[shared] = device[shared - 1]
    subscribed = random.random(customers) < 0.6
    arm = np.where(subscribed, random.integers(0, 2, customers), -1)
    return People(
        home=random.permutation(everyone % len(SITES)),
        segment=random.choice(3, customers, p=[0.35, 0.4, 0.25]),
        language=(random.random(customers) < 0.22).astype(np.int64),
        subscribed=subscribed,
        personalised=random.random(customers) < 0.55,
        has_phone=(everyone < len(_FICTION) * 10_000) & (random.random(customers) < 0.6),
        has_app=random.random(customers) < 0.4,
        device=device,
        second_device=np.where(random.random(customers) < 0.3, everyone + customers, -1),
        eager=random.gamma(1.2, 1.0, customers) + 0.05,
        arm=arm,
        shared=shared,
    )


def choose_people(site: Ints, home: Ints, weight: Floats, random: np.random.Generator) -> Ints:
    """Return, for each row, a customer who lives near its site, with chances in proportion to ``weight``."""
    order = np.argsort(home, kind="stable")
    heap = np.cumsum(weight[order])
    last = np.searchsorted(home[order], np.arange(len(SITES)), side="right")
    high = heap[last - 1]
    low = np.concatenate([[0.0], high[:-1]])
    aim = low[site] + random.random(len(site)) * (high - low)[site]
    found = np.minimum(np.searchsorted(heap, aim, side="right"), last[site] - 1)
    chosen: Ints = order[found]
    return chosen


def name_ids(prefix: str, numbers: Ints, digits: int = 7) -> pa.Array:
    """Return ids such as C0000042; a negative number becomes null."""
    text = pc.utf8_lpad(pa.array(numbers, mask=numbers < 0).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(prefix, text, "")


def name_mails(people: Ints) -> pa.Array:
    """Return mail addresses, under a domain that can belong to nobody."""
    return pc.binary_join_element_wise(name_ids("client", people), "@courriel-riviere.example", "")


def name_phones(people: Ints) -> pa.Array:
    """Return phone numbers from the ranges kept for fiction; null where there is none (a negative number)."""
    block = pa.array(_FICTION).take(pa.array(np.maximum(people, 0) // 10_000 % len(_FICTION)))
    line = pc.utf8_lpad(pa.array(people % 10_000, mask=people < 0).cast(pa.string()), 4, "0")
    return pc.binary_join_element_wise(block, line, "")


def name_devices(devices: Ints) -> pa.Array:
    """Return cookies; the numbers are scattered so that neighbours do not look alike."""
    scattered = (np.maximum(devices, 0) * 2_654_435_761) % 4_294_967_291
    text = pa.array(scattered, mask=devices < 0).cast(pa.string())
    return pc.binary_join_element_wise("ck-", pc.utf8_lpad(text, 10, "0"), "")


def name_sites(site: Ints) -> pa.Array:
    """Return the stores' names; a negative number becomes null."""
    return pa.array(SITES).take(pa.array(site, mask=site < 0))


def name_regions(home: Ints) -> pa.Array:
    """Return the region of each home store."""
    return pa.array(REGIONS).take(pa.array(np.array(_REGION_OF)[home]))
