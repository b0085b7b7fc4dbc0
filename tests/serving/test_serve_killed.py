"""A `parcours serve` that is killed, in parts and as a whole: nothing that was acknowledged is lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.boutique import (
    count_kept,
    make_event,
)
from tests.served import MODULES, Served

pytestmark = pytest.mark.slow


def kept(served: Served) -> set[int]:
    return set(count_kept(served.folder))


@pytest.mark.parametrize("name", MODULES)
def test_a_process_that_is_killed_is_started_again_and_nothing_is_lost(served: Served, name: str) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    sent = {0}
    for n in range(1, 40):
        if n % 13 == 0:
            served.wait_restarted(name, served.kill(name))
            served.wait_for(lambda: served.get("/ready")[0] == 200, "ready")
        if served.send(key, make_event(4 * n)) == 200:
            sent.add(4 * n)
    assert len(sent) > 30
    served.wait_for(lambda: kept(served) >= sent, "everything in parts")
    assert set(count_kept(served.folder).values()) == {1}
    assert f"{name} ended with -9" in served.logs().replace("parcours.serving.", "")
    metrics = served.page("/metrics", "it")
    assert f'parcours_process_restarts_total{{process="{name}"}} 3.0' in metrics


def test_killed_as_a_whole_it_loses_nothing(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    children = served.children()
    for n in range(1, 30):
        assert served.send(key, make_event(4 * n)) == 200
    assert served.process
    served.process.kill()
    served.process.wait()
    until = time.monotonic() + 40
    # Whoever has lost its parent ends by itself.
    while any(Path(f"/proc/{pid}").exists() for pid in children.values()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]
    served.start()
    served.wait_for(lambda: kept(served) == {4 * n for n in range(30)}, "everything in parts")
