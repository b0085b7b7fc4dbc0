"""A clock that jumps by a day, forward and back: what cannot be sealed is not acknowledged, and nothing is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.collect.http.collector import Collector, make_event

from parcours.collect.journal.sealing import HOUR_MS

DAY_S = 86_400


class Jumping:
    """A collector whose clock may be set."""

    def __init__(self, start: Callable[..., Collector], place: Path) -> None:
        self.place = place
        self.offset_s = 0
        place.write_text("0")
        self.collector = start(
            worker="tests.collect.journal.jumping_worker", environment={"PARCOURS_TEST_CLOCK": str(place)}
        )
        self.kept: list[bytes] = []

    def jump(self, seconds: int) -> None:
        self.offset_s += seconds
        part = self.place.with_suffix(".part")
        part.write_text(str(self.offset_s))
        part.rename(self.place)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset_s * 1000

    def hear(self) -> None:
        """Be told as the main process tells, whose clock has jumped as well: this hour's key and the next's."""
        hour = self.now_ms() // HOUR_MS
        self.collector.learn_hours(self.now_ms())
        keys = self.collector.hour_keys
        self.collector.tell(hour_keys={hour: keys[hour], hour + 1: keys[hour + 1]})

    def send(self) -> int:
        body = json.dumps(make_event()).encode()
        answer = self.collector.post("/v1/track", body)
        if answer.status == 200:
            self.kept.append(body)
        return answer.status


@pytest.mark.parametrize("jumps", [[DAY_S], [-DAY_S], [DAY_S, -DAY_S], [-DAY_S, DAY_S], [DAY_S, DAY_S, -2 * DAY_S]])
def test_jumps(start_collector: Callable[..., Collector], tmp_path: Path, jumps: list[int]) -> None:
    jumping = Jumping(start_collector, tmp_path / "clock")
    collector = jumping.collector
    jumping.hear()
    assert jumping.send() == 200
    for jump in jumps:
        jumping.jump(jump)
        known = jumping.send()
        assert known in (200, 503)
        if known == 503:
            assert collector.get("/ready").document["reason"] == "no_hour_key"
        jumping.hear()
        collector.wait_for(lambda: jumping.send() == 200, what="a good answer after the jump")
        assert abs(collector.deliveries()[-1].received_ms - jumping.now_ms()) < 120_000
    assert collector.bodies() == jumping.kept
    assert '"fault"' not in collector.logs()
