"""More connections than anybody needs: those who say something are served, and the memory stays bounded."""

from __future__ import annotations

import json
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.collect.http.collector import Collector, make_event, make_request, split_answers

CROWD = 10_000
ACTIVE = 300
BOUND_MB = 400


@pytest.fixture
def many_handles() -> Iterator[int]:
    """Let this process have as many files open as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ask_all(lines: list[socket.socket]) -> tuple[list[bytes], list[int]]:
    """Send an event on each of ``lines``, then read each answer."""
    bodies = [json.dumps(make_event()).encode() for _ in lines]
    for line, body in zip(lines, bodies, strict=True):
        line.sendall(make_request("/v1/track", body))
    answers = [split_answers(line.recv(4096))[0][0] for line in lines]
    return bodies, answers


def test_ten_thousand_connections(start_collector: Callable[..., Collector], many_handles: int) -> None:
    if many_handles < CROWD + 1000:
        pytest.skip(f"this system allows {many_handles} open files, {CROWD + 1000} are needed")
    collector = start_collector()
    with ExitStack() as stack:
        crowd = [stack.enter_context(collector.connect()) for _ in range(CROWD)]
        for line in crowd[: CROWD // 2]:
            line.sendall(b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nX-And")
        active = [stack.enter_context(collector.connect()) for _ in range(ACTIVE)]
        for _ in range(3):
            bodies, answers = ask_all(active)
            assert answers == [200] * ACTIVE
            assert set(bodies) <= set(collector.bodies())
        chosen = crowd[CROWD // 2 :: 50]
        bodies, answers = ask_all(chosen)
        assert answers == [200] * len(chosen)
        assert collector.rss_mb(peak=True) < BOUND_MB
    collector.still_takes_events()


def test_no_handle_left_harms_only_those_who_come_late(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector(handles=120)
    with ExitStack() as stack:
        first = [stack.enter_context(collector.connect()) for _ in range(50)]
        assert ask_all(first)[1] == [200] * 50
        late = [stack.enter_context(collector.connect(5)) for _ in range(200)]
        bodies, answers = ask_all(first)
        assert answers == [200] * 50
        assert set(bodies) <= set(collector.bodies())
        assert len(late) == 200
    collector.wait_ready()
    collector.still_takes_events()
