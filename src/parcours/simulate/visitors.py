"""Visitors of the simulated firm, sent live: synthetic visits through Segment's own Python SDK, unchanged."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

from parcours.collect.connectors.http import HTTP
from parcours.collect.write_keys import make_write_key
from parcours.company import Company

LOG = logging.getLogger(__name__)
VARIABLE = "PARCOURS_WRITE_KEY"
COMMENTS = (
    ("fr", "La commande s'est faite en deux minutes.", 7),
    ("fr", "Le paiement a tourné longtemps avant de passer.", 3),
    ("en", "Ordering was quick and clear.", 7),
    ("en", "The basket forgot my address again.", 2),
)


class Step(NamedTuple):
    """One event of a visit: its name, its properties, and how long the visitor waits before it, in seconds."""

    name: str
    properties: dict[str, str | float]
    pause_s: float


def make_visit(chance: random.Random, number: int) -> list[Step]:
    """Return one synthetic visit: pages, at times a wish, an order and an answer about it."""
    pages = chance.choices(("inspiration", "product", "help"), (3, 5, 1), k=chance.randint(1, 5))
    steps = [Step("Page Viewed", {"page_kind": kind}, chance.uniform(0.2, 1.2)) for kind in pages]
    if chance.random() < 0.3:
        steps.append(Step("Wishlist Updated", {}, chance.uniform(0.2, 1.0)))
    if chance.random() < 0.35:
        order = f"V{os.getpid():06d}{number:05d}"
        value = round(chance.lognormvariate(4.2, 0.5), 2)
        bought: dict[str, str | float] = {"order_id": order, "order_channel": "web", "order_value": value}
        steps.append(Step("Order Completed", bought, chance.uniform(0.5, 1.5)))
        if chance.random() < 0.5:
            language, comment, score = chance.choice(COMMENTS)
            told: dict[str, str | float] = {
                "survey": "checkout",
                "score": score,
                "comment": comment,
                "language": language,
                "order_id": order,
            }
            steps.append(Step("Survey Answered", told, chance.uniform(0.5, 2.0)))
    return steps


def visit(chance: random.Random, customers: int) -> Iterator[tuple[str, Step]]:
    """Yield who does what, one visit after the other, for ever."""
    number = 0
    while True:
        number += 1
        who = f"C{chance.randrange(1, customers + 1):07d}"
        for step in make_visit(chance, number):
            yield who, step


def invite(company: Company, port: int, customers: int) -> subprocess.Popen[bytes] | None:
    """Start the visitors, who send to ``port`` of this machine with a key of their own.

    Where Segment's SDK is not installed (extra ``demo``) nobody comes, and the demo is otherwise the same.
    """
    if find_spec("segment") is None:
        LOG.warning("no simulated visitors: pip install parcours[demo]")
        return None
    live = next(one.source for one in company.sources if one.source.connector == HTTP)
    environment = {**os.environ, VARIABLE: make_write_key(company.folder, live)}
    command = [sys.executable, "-m", __name__, f"http://127.0.0.1:{port}", str(customers), "2"]
    return subprocess.Popen(command, env=environment)  # noqa: S603 - our own interpreter, our own module


def main() -> None:
    """Send visits to the ``ADDRESS`` for one of so many ``CUSTOMERS`` at a time, ``RATE`` visitors at once."""
    from segment.analytics.client import Client

    address, customers, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    client = Client(os.environ[VARIABLE], host=address, max_retries=10)
    for who, step in visit(random.Random(), customers):  # noqa: S311 - simulated people
        time.sleep(step.pause_s / rate)
        client.track(
            who,
            step.name,
            step.properties,
            context={"synthetic": True, "consent": {"categoryPreferences": {"personalise": True}}},
        )


if __name__ == "__main__":
    main()
