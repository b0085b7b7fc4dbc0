"""Load on a collector whose processes are killed at random moments, and the account of what was acknowledged."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter

from tests.collect.http.collector import BASIC, Collector, make_event

TARGETS = ("worker", "writer", "both")


class Sender(threading.Thread):
    """One client: sends batches one after the other, each again until it is acknowledged, as an SDK does."""

    def __init__(self, port: int, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._port, self._stopping = port, stopping
        self._connection: http.client.HTTPConnection | None = None
        self.sent: Counter[bytes] = Counter()
        self.acknowledged: list[bytes] = []
        self.wrong: list[int] = []

    def run(self) -> None:
        while not self._stopping.is_set():
            events = [make_event(fill="x" * random.randrange(400)) for _ in range(random.randrange(1, 6))]
            body = json.dumps({"batch": events}).encode()
            while not self._stopping.is_set():
                if self._send(body):
                    self.acknowledged.append(body)
                    break
                time.sleep(0.01)

    def _send(self, body: bytes) -> bool:
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            self.sent[body] += 1
            self._connection.request("POST", "/v1/batch", body, {"Authorization": BASIC})
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection = None
            return False
        if answer.status not in (200, 503):
            self.wrong.append(answer.status)
        return answer.status == 200


def kill_at_random(collector: Collector, kills: int, clients: int, seed: int) -> list[Sender]:
    """Kill one process or both ``kills`` times under the load of ``clients``; return the clients."""
    chance = random.Random(seed)
    stopping = threading.Event()
    senders = [Sender(collector.port, stopping) for _ in range(clients)]
    for sender in senders:
        sender.start()
    for number in range(kills):
        time.sleep(chance.uniform(0.005, 0.25))
        collector.kill(TARGETS[number % len(TARGETS)])
        collector.start_writer()
        collector.start_worker()
        if number % 5 != 4:  # Now and then the next kill meets a start.
            collector.wait_ready()
    collector.wait_ready()
    time.sleep(0.3)
    stopping.set()
    for sender in senders:
        sender.join(60)
    return senders


def check_account(collector: Collector, senders: list[Sender]) -> dict[str, int]:
    """Check that each acknowledged body is kept as it was sent, none half, and repeated only where it was sent again.

    Returns what was counted.
    """
    kept = Counter(collector.bodies())
    sent: Counter[bytes] = Counter()
    for sender in senders:
        sent.update(sender.sent)
    acknowledged = [body for sender in senders for body in sender.acknowledged]
    lost = [body for body in acknowledged if body not in kept]
    foreign = [body for body in kept if body not in sent]
    too_often = [body for body, count in kept.items() if count > sent[body]]
    wrong = [status for sender in senders for status in sender.wrong]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged are lost"
    assert not foreign, f"{len(foreign)} are kept as nobody sent them"
    assert not too_often, f"{len(too_often)} are kept more often than they were sent"
    assert not wrong, f"answers that no client should see: {Counter(wrong)}"
    return {
        "acknowledged": len(acknowledged),
        "sent again": sum(sent.values()) - len(sent),
        "kept": sum(kept.values()),
        "kept twice or more": sum(count - 1 for count in kept.values()),
    }
