"""Faults of the disk under the journal: what was acknowledged is kept, and what is not kept is not acknowledged.

Every fault is put into the real writer; it must go on by itself, in the same process, once the fault is gone.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.collect.http.collector import Collector, make_event
from tests.collect.journal.faulty_disk import Plan

from parcours.collect.journal.opening import JOURNAL

WRITER = "tests.collect.journal.faulty_writer"
FAULTS = {
    "fsync of the log fails": Plan(on=("sync",), files=("-wal",)),
    "fsync of the log fails and its pages are lost": Plan(on=("sync",), files=("-wal",), lose=True),
    "every fsync fails": Plan(on=("sync",)),
    "the third fsync fails": Plan(on=("sync",), after=2, lose=True),
    "disk full": Plan(on=("write",), error="ENOSPC"),
    "disk full halfway": Plan(on=("write",), error="ENOSPC", short=True),
    "disk full after some writes": Plan(on=("write",), error="ENOSPC", after=7),
    "writes fail": Plan(on=("write",)),
    "half a write": Plan(on=("write",), short=True, after=3),
    "reads fail": Plan(on=("read", "sync")),
    "writes and reads fail": Plan(on=("read", "write")),
    "read-only disk": Plan(on=("write", "open"), error="EROFS"),
    "the file cannot be opened again": Plan(on=("sync", "open")),
    "the file cannot be cut": Plan(on=("sync", "truncate"), after=1),
}


class Sick:
    """A collector whose disk may fail, and what it acknowledged."""

    def __init__(self, start: Callable[..., Collector], place: Path) -> None:
        self.place = place
        self.collector = start(writer=WRITER, environment={"PARCOURS_TEST_FAULTS": str(place)})
        self.kept: list[bytes] = []
        self.refused: list[bytes] = []

    def fail(self, plan: Plan) -> None:
        part = self.place.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(plan))
        part.rename(self.place)

    def heal(self) -> None:
        self.place.unlink(missing_ok=True)

    def send(self, count: int) -> list[int]:
        statuses = []
        for _ in range(count):
            body = json.dumps(make_event()).encode()
            answer = self.collector.post("/v1/track", body)
            statuses.append(answer.status)
            (self.kept if answer.status == 200 else self.refused).append(body)
            if answer.status != 200:
                assert answer.document["code"] == "not_written"
                assert 1 <= int(answer.headers["retry-after"]) <= 300
        return statuses

    def check(self) -> None:
        """All that was acknowledged is there once, whole and in order; of the rest each is there once or not at all."""
        bodies = self.collector.bodies()
        assert len(bodies) == len(set(bodies))
        assert [body for body in bodies if body in set(self.kept)] == self.kept
        assert set(bodies) <= {*self.kept, *self.refused}


@pytest.fixture
def sick(start_collector: Callable[..., Collector], tmp_path: Path) -> Sick:
    """Return a collector whose disk may fail."""
    return Sick(start_collector, tmp_path / "faults.json")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_and_passes(sick: Sick, fault: str) -> None:
    collector = sick.collector
    assert collector.writer
    pid = collector.writer.pid
    assert sick.send(5) == [200] * 5
    sick.fail(FAULTS[fault])
    statuses = sick.send(8)
    assert set(statuses) <= {200, 503}
    assert 503 in statuses
    sick.heal()
    collector.wait_ready()
    assert sick.send(5) == [200] * 5
    assert (collector.writer.poll(), collector.writer.pid) == (None, pid)
    sick.check()
    assert '"fault"' not in collector.logs()


def test_ready_says_why_it_is_not_and_finds_out_by_itself(sick: Sick) -> None:
    collector = sick.collector
    sick.fail(Plan(on=("sync",)))
    assert sick.send(1) == [503]
    answer = collector.get("/ready")
    assert (answer.status, answer.document) == (503, {"status": "not_ready", "reason": "disk_full"})
    assert collector.get("/health").status == 200
    assert collector.tally().fault == "disk_full"
    sick.heal()
    # Nobody sends anything: the question alone lets it find out.
    collector.wait_ready()
    assert collector.tally().fault == ""


def test_a_pixel_on_a_sick_disk_is_counted_as_lost(sick: Sick) -> None:
    sick.fail(Plan(on=("sync",)))
    answer = sick.collector.get('/v1/pixel/track?data={"writeKey":"a-write-key-for-tests"}')
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert sick.collector.tally().pixels_lost == 1


def test_faults_that_come_and_go(sick: Sick) -> None:
    for number, plan in enumerate(FAULTS.values()):
        sick.fail(msgspec.structs.replace(plan, after=number % 5))
        sick.send(3)
        sick.heal()
        sick.collector.wait_for(lambda: sick.send(1) == [200], what="a good answer")
    sick.check()


@pytest.mark.parametrize("seed", range(12))
def test_a_power_cut_loses_nothing_that_was_acknowledged(sick: Sick, seed: int) -> None:
    """Of what was written and not synced, any sector may be on disk or not; acknowledged is what was synced."""
    collector = sick.collector
    sick.send(3)
    sick.fail(Plan(cut=5 + 9 * seed, seed=seed))
    for _ in range(100):
        sick.send(1)
        assert collector.writer
        if collector.writer.poll() is not None:
            break
    assert collector.writer
    assert collector.writer.wait(30) == 137
    # What lies in memory alone is gone after a power cut.
    (collector.folder / f"{JOURNAL}-shm").unlink(missing_ok=True)
    sick.heal()
    collector.start()
    assert sick.send(3) == [200] * 3
    sick.check()


def test_a_writer_that_cannot_open_its_journal_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).mkdir(parents=True)
    collector = Collector(tmp_path)
    with pytest.raises(AssertionError, match="the writer said b''"):
        collector.start_writer()
    assert collector.writer
    assert collector.writer.wait(30) == 1
    assert '"code":"not_writable"' in collector.logs()
    collector.close()
    os.rmdir(tmp_path / JOURNAL)


def test_a_writer_that_is_gone_is_told_and_found_again(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector()
    collector.kill("writer")
    answer = collector.post("/v1/track", make_event())
    assert (answer.status, answer.document["code"]) == (503, "not_written")
    assert collector.get("/ready").document["reason"] in ("no_writer", "writer_gone")
    collector.start_writer()
    collector.wait_ready()
    collector.still_takes_events()


def test_a_writer_that_hangs_hangs_nobody(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector(worker="tests.collect.http.hasty_worker")
    assert collector.writer
    collector.writer.send_signal(signal.SIGSTOP)
    answer = collector.post("/v1/track", make_event())
    assert (answer.status, answer.document["code"]) == (503, "not_written")
    assert collector.get("/ready").document["reason"] in ("writer_silent", "no_writer", "writer_slow")
    collector.writer.send_signal(signal.SIGCONT)
    collector.wait_ready()
    collector.still_takes_events()


@pytest.mark.parametrize("process", ["worker", "writer"])
def test_a_process_that_is_asked_to_end_ends_well(start_collector: Callable[..., Collector], process: str) -> None:
    collector = start_collector()
    one = getattr(collector, process)
    one.terminate()
    assert one.wait(30) == 0
    assert "Fatal" not in collector.logs()
