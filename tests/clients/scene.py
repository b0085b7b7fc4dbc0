"""A scene: the clients at work at the same time against one collector, each through a relay of its own."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.driving import CHROMIUM, INSTALLED, Driver, wait_until
from tests.clients.relay import Relay
from tests.clients.roster import CLIENTS, DRIVERS, Client


class Sender:
    """One client in its process, set up to send through its own relay."""

    def __init__(self, client: Client, driver: Driver, relay: Relay, key: str) -> None:
        self.client, self.driver, self.relay, self.key = client, driver, relay, key
        self.began_ms = self.ended_ms = 0
        self.told: dict[str, Any] = {}

    def open(self, **limits: Any) -> None:
        """Set the client up anew, with the key and the address and nothing else, unless ``limits`` say more."""
        page = {"page": self.client.label, "client": self.client.sdk} if self.client.in_browser else {}
        self._tell("open", url=self.relay.url, key=self.key, mode=self.client.mode, **page, **limits)

    def send(self, calls: list[dict[str, Any]]) -> None:
        """Make ``calls``; most clients send them a little later."""
        self.began_ms = self.began_ms or time.time_ns() // 1_000_000
        self._tell("send", calls=calls)

    def settle(self) -> dict[str, Any]:
        """Wait until the client has nothing left that it means to send, as far as it tells; return what it says."""
        self.told = self._tell("settle")
        self.ended_ms = time.time_ns() // 1_000_000
        return self.told

    @property
    def dropped(self) -> list[Any]:
        """The amounts of the orders that the client itself says it gave up."""
        return list(self.told.get("dropped", []))

    def _tell(self, order: str, **how: Any) -> dict[str, Any]:
        page = {"page": self.client.label} if self.client.in_browser else {}
        return self.driver.tell(order, **{**page, **how})


def why_absent(client: Client) -> str | None:
    """Return why a client cannot be run here, or nothing."""
    if client.package.startswith("@"):
        if shutil.which("node") is None:
            return "there is no node"
        if not (INSTALLED / "node_modules" / client.package / "package.json").exists():
            return f"{client.package} is not in {INSTALLED}: run `make clients`"
    if client.in_browser and not Path(CHROMIUM).exists():
        return f"there is no Chromium at {CHROMIUM}"
    return None


@contextmanager
def open_senders(
    port: int, keys: dict[str, str], drivers: Callable[[str], Driver], clients: Iterable[Client]
) -> Iterator[dict[str, Sender]]:
    """Give a sender for each client that can be run here, by its label."""
    relays: list[Relay] = []
    senders = {}
    for client in clients:
        if why_absent(client) is None:
            relays.append(Relay(port))
            senders[client.label] = Sender(client, drivers(client.driver), relays[-1], keys[client.source])
    try:
        yield senders
    finally:
        for relay in relays:
            relay.refuse()


def play(senders: Iterable[Sender], act: Callable[[Sender], object]) -> dict[str, BaseException]:
    """Let every sender act: the processes at the same time, what one process runs in turn. Return what went wrong."""
    by_driver: dict[Driver, list[Sender]] = {}
    for sender in senders:
        by_driver.setdefault(sender.driver, []).append(sender)
    faults: dict[str, BaseException] = {}

    def run(mine: list[Sender]) -> None:
        for sender in mine:
            try:
                act(sender)
            except BaseException as fault:  # Told where the client is tested; the others go on.
                faults[sender.client.label] = fault

    threads = [threading.Thread(target=run, args=(mine,)) for mine in by_driver.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def client_named(label: str) -> Client:
    """Return one of the clients."""
    return next(client for client in CLIENTS if client.label == label)


class Drivers:
    """The processes, each started when first asked for."""

    def __init__(self) -> None:
        self._started: dict[str, Driver] = {}

    def __call__(self, name: str) -> Driver:
        """Return the process of that name."""
        if name not in self._started:
            self._started[name] = Driver(*DRIVERS[name])
        return self._started[name]

    def close(self) -> None:
        """End all of them."""
        for driver in self._started.values():
            driver.close()


__all__ = ["Drivers", "Sender", "client_named", "open_senders", "play", "wait_until", "why_absent"]
