"""Server-sent events from a real server: messages, a limit, a stop that waits for nobody, and pages that know of it."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from collected import Feed
from firm import Firm
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from tests.signed_in import make_token, sign_in

from parcours.workspaces.app import PageServer, create_app, make_server
from parcours.workspaces.live import MOST_STREAMS, Latest, LiveState, Message
from parcours.workspaces.safety import write_policy
from parcours.workspaces.signing_in.guard import GuardedRoute
from parcours.workspaces.static import SCRIPT, SCRIPT_PATH

PATIENCE_S = 20.0


@contextmanager
def serving(firm: Firm, feed: Feed | None) -> Iterator[tuple[PageServer, int]]:
    """Serve pages on a free port of the loopback, in a thread."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = make_server(firm, "127.0.0.1", port, feed=feed)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE_S
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield server, port
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the server waits for a stream"


def open_stream(port: int, firm: Firm, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """Open a stream and return its answer, which can be read line by line."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/fr/live", headers=make_token(firm.folder, "cco") | (headers or {}))
    return connection.getresponse()


def read_message(answer: http.client.HTTPResponse) -> Message:
    """Return the next message of a stream."""
    while True:
        line = answer.readline()
        assert line, "the stream has ended"
        if line.startswith(b"data: "):
            return msgspec.json.decode(line[6:], type=Message)


def test_a_stream_tells_what_changes(firm: Firm) -> None:
    feed = Feed(LiveState(touchpoints={"checkout": 1}))
    with serving(firm, feed) as (_, port):
        stream = open_stream(port, firm)
        assert stream.status == 200
        assert stream.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.getheader("cache-control") == "no-store"
        assert read_message(stream).touchpoints == {}
        at_ms = time.time_ns() // 1_000_000
        feed.state = LiveState(rate_per_min=3, touchpoints={"checkout": 4}, latest=Latest("checkout", at_ms))
        message = read_message(stream)
        while not message.touchpoints:
            message = read_message(stream)
        assert message.touchpoints == {"checkout": 3}
        assert "«\u00a0Commande en ligne\u00a0» il y a" in message.line


def test_a_server_that_stops_ends_its_streams_as_they_should_end(firm: Firm) -> None:
    with serving(firm, Feed()) as (_, port):
        stream = open_stream(port, firm)
        read_message(stream)
    stream.read()  # raises unless the answer came to its proper end


def test_beyond_the_limit_it_answers_503_and_a_place_given_back_serves_again(firm: Firm) -> None:
    with serving(firm, Feed()) as (server, port):
        hub = server.config.app.state.hub  # type: ignore[union-attr]
        for _ in range(MOST_STREAMS - 1):
            assert hub.enter()
        last = open_stream(port, firm)
        read_message(last)
        refused = open_stream(port, firm)
        assert refused.status == 503
        assert refused.getheader("retry-after") == "15"
        last.close()
        until = time.monotonic() + PATIENCE_S
        while (again := open_stream(port, firm)).status == 503 and time.monotonic() < until:
            time.sleep(0.05)
        assert again.status == 200


def test_pages_of_other_sites_take_no_place(firm: Firm) -> None:
    with serving(firm, Feed()) as (_, port):
        for site in ("cross-site", "same-site"):
            assert open_stream(port, firm, {"sec-fetch-site": site}).status == 403
        assert open_stream(port, firm, {"sec-fetch-site": "same-origin"}).status == 200
        assert open_stream(port, firm, {"host": "evil.example"}).status == 421


def test_asking_for_headers_alone_takes_no_place(firm: Firm) -> None:
    client = TestClient(create_app(firm, feed=Feed()), "http://127.0.0.1", cookies=sign_in(firm.folder))
    answer = client.head("/fr/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert client.app.state.hub._open == 0  # type: ignore[attr-defined]


def test_routes_of_others_stand_beside_the_pages_under_the_same_checks(firm: Firm) -> None:
    health = GuardedRoute("/health", lambda _: PlainTextResponse("alive"), None)
    client = TestClient(create_app(firm, more=[health]), "http://127.0.0.1")
    answer = client.get("/health")
    assert answer.text == "alive"
    assert answer.headers["content-security-policy"] == write_policy()
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 421


def test_pages_stay_quick_while_many_listen(firm: Firm) -> None:
    with serving(firm, Feed()) as (_, port):
        streams = [open_stream(port, firm) for _ in range(MOST_STREAMS)]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        connection.request("GET", "/fr/map", headers=make_token(firm.folder, "cco"))
        assert connection.getresponse().status == 200
        for stream in streams:
            stream.close()


def test_a_page_says_what_it_rests_on_as_the_stream_does(firm: Firm) -> None:
    with serving(firm, Feed(LiveState(sources_changed=5))) as (_, port):
        message = read_message(open_stream(port, firm))
        pages = {}
        for place, role in (("map", "cco"), ("sources", "it")):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", f"/fr/{place}", headers=make_token(firm.folder, role))
            pages[place] = connection.getresponse().read().decode()
        marks = {place: re.findall(r'data-mark="([^"]+)" data-watch="(\w*)"', text) for place, text in pages.items()}
        assert marks["map"] == [(message.published, "")]
        ((mark, watch),) = marks["sources"]
        assert watch == "sources"
        assert mark.startswith(f"{message.published}.5-")


@pytest.mark.parametrize("place", ["map", "journey", "touchpoint/delivery", "sources", "patterns"])
def test_with_a_feed_pages_load_one_script_of_our_own(firm: Firm, place: str) -> None:
    client = TestClient(create_app(firm, feed=Feed()), "http://127.0.0.1", cookies=sign_in(firm.folder))
    answer = client.get(f"/en/{place}")
    policy = answer.headers["content-security-policy"]
    assert policy == write_policy(scripts=True, forms=place == "sources")
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script[^>]*>", answer.text) == [f'<script src="{SCRIPT_PATH}" defer>']
    assert 'data-stream="/en/live"' in answer.text
    script = client.get(SCRIPT_PATH)
    assert script.text == SCRIPT
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]


def test_without_a_feed_there_is_no_script_and_no_stream(firm: Firm) -> None:
    client = TestClient(create_app(firm), "http://127.0.0.1", cookies=sign_in(firm.folder))
    answer = client.get("/fr/map")
    assert "<script" not in answer.text
    assert "live-strip" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert client.get("/fr/live").status_code == 404


def test_a_reader_without_a_script_sees_of_when_it_is(firm: Firm) -> None:
    text = (
        TestClient(create_app(firm, feed=Feed()), "http://127.0.0.1", cookies=sign_in(firm.folder)).get("/fr/map").text
    )
    assert "Résultats du 4\u00a0janv.\u00a02027 à\u00a001:00" in text  # when the firm's run ended, in Paris
    assert "<noscript>Rechargez la page" in text


def test_a_fault_is_shown_without_a_script(firm: Firm) -> None:
    answer = TestClient(create_app(firm, feed=Feed()), "http://127.0.0.1", cookies=sign_in(firm.folder)).get(
        "/fr/nowhere"
    )
    assert answer.status_code == 404
    assert "<script" not in answer.text


def test_the_script_is_short_and_asks_nobody_else() -> None:
    assert SCRIPT.count("\n") < 80
    assert not re.search(r"https?://|innerHTML|eval\(|document\.write|insertAdjacentHTML", SCRIPT)
