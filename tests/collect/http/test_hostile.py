"""Clients that dawdle, lie about lengths, never end or do not speak HTTP: answered or cut off, never believed."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from tests.collect.http.collector import (
    BASIC,
    Collector,
    make_event,
    make_request,
    receive_all,
    split_answers,
)

BOUND_MB = 160
"""What the worker's memory may reach at its highest, whatever comes; at rest it has about 45."""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector that loses its patience within a second or two."""
    one = Collector(tmp_path_factory.mktemp("hasty"), worker="tests.collect.http.hasty_worker").start()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def go_on_afterwards(hasty: Collector) -> Iterator[None]:
    """After each of these tests good events are taken, memory was bounded, and nothing failed inside."""
    yield
    hasty.still_takes_events()
    assert hasty.rss_mb(peak=True) < BOUND_MB
    assert '"fault"' not in hasty.logs()


def event_bytes() -> bytes:
    return json.dumps(make_event()).encode()


# Those who dawdle.
def test_headers_that_stop_halfway_are_cut_off_with_a_reason(hasty: Collector) -> None:
    for beginning in (b"P", b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "):
        assert split_answers(hasty.say(beginning, end=False))[0][0] == 408


def test_a_connection_that_says_nothing_is_cut_off(hasty: Collector) -> None:
    assert hasty.say(b"", end=False) == b""


def test_headers_that_drip_are_cut_off(hasty: Collector) -> None:
    with hasty.connect() as line:
        line.sendall(b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        line.settimeout(0.05)
        for _ in range(600):
            try:
                line.sendall(b"X-Drip: 1\r\n")
                if (said := line.recv(4096)) or said == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                said = b""
                break
        else:
            pytest.fail("it went on listening")
        assert not said or said.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("sent", [0, 10])
@pytest.mark.parametrize("headers", [("Content-Length: 500",), ("Transfer-Encoding: chunked",)])
def test_a_body_that_stops_halfway_is_answered_408(hasty: Collector, sent: int, headers: tuple[str, ...]) -> None:
    body = b"1f4\r\n" + b"{" * sent if "chunked" in headers[0] else b"{" * sent
    before = len(hasty.deliveries())
    [(status, answer)] = split_answers(hasty.say(make_request("/v1/track", body, *headers), end=False))
    assert (status, json.loads(answer)["code"]) == (408, "body_cut_short")
    assert len(hasty.deliveries()) == before


def test_a_body_that_drips_is_answered_408(hasty: Collector) -> None:
    with hasty.connect() as line:
        line.sendall(make_request("/v1/track", b"", "Content-Length: 100000"))
        line.settimeout(0.02)
        said = b""
        for _ in range(1000):
            try:
                line.sendall(b"x")
                said = line.recv(4096)
                break
            except TimeoutError:
                continue
        assert said.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("path", ["/v1/track", "/v1/m"])
def test_half_a_body_and_then_the_end_keeps_nothing(hasty: Collector, path: str) -> None:
    before = len(hasty.deliveries())
    body = event_bytes()
    said = hasty.say(make_request(path, body[:-3], f"Content-Length: {len(body)}"))
    assert b" 200 " not in said
    assert len(hasty.deliveries()) == before


def test_a_whole_request_and_then_the_end_is_answered(hasty: Collector) -> None:
    body = event_bytes()
    assert split_answers(hasty.say(make_request("/v1/track", body))) == [(200, b'{"success":true}')]
    assert body in hasty.bodies()


def test_a_client_that_leaves_before_the_answer_harms_nobody(hasty: Collector) -> None:
    for _ in range(50):
        with hasty.connect() as line:
            line.sendall(make_request("/v1/track", event_bytes()))


def test_expecting_to_be_told_to_go_on(hasty: Collector) -> None:
    body = event_bytes()
    with hasty.connect() as line:
        line.sendall(make_request("/v1/track", b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert line.recv(4096).startswith(b"HTTP/1.1 100 ")
        line.sendall(body)
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")
    too_long = make_request("/v1/track", b"", "Content-Length: 9999999", "Expect: 100-continue")
    assert hasty.say(too_long, end=False).startswith(b"HTTP/1.1 400 ")


# Those who never end.
def push(line: socket.socket, piece: bytes, most_bytes: int = 4 << 30) -> int:
    """Send ``piece`` again and again until the other side has had enough; return how many bytes went."""
    sent = 0
    with suppress(OSError):
        while sent < most_bytes:
            sent += line.send(piece)
    return sent


def test_a_body_of_4_gb_is_refused_before_it_comes(hasty: Collector) -> None:
    with hasty.connect() as line:
        line.sendall(make_request("/v1/batch", b"", f"Content-Length: {4 << 30}"))
        assert line.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_the_refusal_of_a_large_body_reaches_a_client_that_sends_on(hasty: Collector) -> None:
    body = b"x" * (8 << 20)
    [(status, answer)] = split_answers(hasty.say(make_request("/v1/batch", body), end=False))
    assert (status, json.loads(answer)["code"]) == (400, "body_too_large")


def test_a_body_of_4_gb_in_chunks_is_cut_off(hasty: Collector) -> None:
    with hasty.connect() as line:
        line.sendall(make_request("/v1/batch", b"", "Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        assert push(line, chunk) < 256 << 20
        said = receive_all(line)
        assert not said or said.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/m"])
def test_a_body_in_chunks_of_one_byte_is_no_cheaper_a_way(hasty: Collector, path: str) -> None:
    body = b'{"batch":[' + b" " * 200_000 + b"]}"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    [(status, _)] = split_answers(hasty.say(make_request(path, chunks, "Transfer-Encoding: chunked")))
    assert status == 200


ENDLESS = {
    "one header": (b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b"a" * 65_536),
    "many headers": (b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-A: b\r\n" * 8192),
    "the name of a header": (b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"a" * 65_536),
    "the address": (b"GET /v1/pixel/track?data=", b"a" * 65_536),
    "the method": (b"", b"A" * 65_536),
    "empty lines": (b"", b"\r\n" * 32_768),
    "trailers": (make_request("/v1/track", b"0\r\n", "Transfer-Encoding: chunked"), b"X-A: b\r\n" * 8192),
    "one trailer": (make_request("/v1/track", b"0\r\nX-A: ", "Transfer-Encoding: chunked"), b"a" * 65_536),
    "a chunk extension": (make_request("/v1/track", b"5;a=", "Transfer-Encoding: chunked"), b"a" * 65_536),
    "the size of a chunk": (make_request("/v1/track", b"", "Transfer-Encoding: chunked"), b"0" * 65_536),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_cut_off(hasty: Collector, what: str) -> None:
    start, more = ENDLESS[what]
    before = len(hasty.deliveries())
    with hasty.connect() as line:
        line.sendall(start)
        assert push(line, more) < 64 << 20
        said = receive_all(line)
        assert not said or said[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 431 ", b"HTTP/1.1 408 ")
    assert len(hasty.deliveries()) == before


def test_headers_of_60_kb_are_read_and_trailers_forgotten(hasty: Collector) -> None:
    body = event_bytes()
    large = [f"X-{number}: {'a' * 1000}" for number in range(60)]
    assert split_answers(hasty.say(make_request("/v1/track", body, *large)))[0][0] == 200
    chunks = b"%x\r\n%b\r\n0\r\nX-Write-Key: unknown\r\n\r\n" % (len(body), body)
    assert split_answers(hasty.say(make_request("/v1/track", chunks, "Transfer-Encoding: chunked")))[0][0] == 200


# Bodies that swell.
def bomb(size: int) -> bytes:
    machine = zlib.compressobj(6, zlib.DEFLATED, 31)
    pieces = [machine.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*pieces, machine.flush()])


@pytest.mark.parametrize("size", [400 << 20, 1 << 30])
def test_a_gzip_bomb_is_refused(hasty: Collector, size: int) -> None:
    packed = bomb(size)
    for path in ("/v1/track", "/v1/batch"):
        answer = hasty.post(path, packed, {"Content-Encoding": "gzip"})
        assert (answer.status, answer.document["code"]) == (400, "body_too_large")


def test_a_bomb_in_many_members_is_refused(hasty: Collector) -> None:
    member = gzip.compress(bytes(400 << 10))
    answer = hasty.post("/v1/batch", member * 500, {"Content-Encoding": "gzip"})
    assert (answer.status, answer.document["code"]) == (400, "body_too_large")
    answer = hasty.post("/v1/batch", gzip.compress(b"") * 20_000, {"Content-Encoding": "gzip"})
    assert (answer.status, answer.document["code"]) == (400, "invalid_encoding")


DEEP = {
    "arrays": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "open arrays": b"[" * 400_000,
}


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("frame", [b'{"batch":[%b]}', b'{"batch":[],"context":%b}', b'{"batch":[],"writeKey":%b}'])
def test_json_of_100000_levels_is_refused(hasty: Collector, shape: str, frame: bytes) -> None:
    body = frame % DEEP[shape]
    assert len(body) <= 500 * 1024 + 99
    assert hasty.post("/v1/batch", body).status == 400


# Those who say two things at once.
SMUGGLED = {
    "length and chunks": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunks and length": ("Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "two equal lengths": ("Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": ("Content-Length: 5, 5",),
    "a signed length": ("Content-Length: +5",),
    "a negative length": ("Content-Length: -1",),
    "a length in hex": ("Content-Length: 0x5",),
    "a length past 64 bits": ("Content-Length: 99999999999999999999999",),
    "an empty length": ("Content-Length: ",),
    "an unknown coding": ("Transfer-Encoding: xchunked",),
    "chunked twice": ("Transfer-Encoding: chunked, identity",),
    "a space before the colon": ("Transfer-Encoding : chunked",),
    "a folded header": ("X-A: b\r\n Transfer-Encoding: chunked",),
    "a bare return": ("X-A: b\rTransfer-Encoding: chunked",),
    "a NUL": ("X-A: b\0",),
}


@pytest.mark.parametrize("shape", SMUGGLED)
def test_a_request_of_two_minds_is_refused_and_what_follows_not_believed(hasty: Collector, shape: str) -> None:
    before = len(hasty.deliveries())
    hidden = make_request("/v1/track", event_bytes())
    lines = ["POST /v1/track HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {BASIC}", *SMUGGLED[shape], "", ""]
    said = hasty.say("\r\n".join(lines).encode("latin-1") + b"0\r\n\r\n" + hidden)
    answers = split_answers(said)
    assert answers
    assert all(400 <= status < 500 for status, _ in answers), said
    assert len(answers) == 1
    assert len(hasty.deliveries()) == before


NO_REQUEST = {
    "nonsense": b"hello\r\n\r\n",
    "TLS": bytes.fromhex("160301020001000103") + b"\x00" * 300,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: 127.0.0.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "an unknown method": b"FETCH /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a method with a NUL": b"PO\x00ST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "an address that is none": b"GET http://[::1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "an address with bytes": b"GET /\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a space in the address": b"GET /v1/track x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "memcached": b"stats\r\n",
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "random": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("what", NO_REQUEST)
def test_what_is_no_request_is_told_so(hasty: Collector, what: str) -> None:
    said = hasty.say(NO_REQUEST[what])
    assert all(400 <= status < 500 for status, _ in split_answers(said)), said
    for status, body in split_answers(said):
        assert {"code", "message"} <= set(json.loads(body)), (status, body)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "PURGE", "M-SEARCH", "LINK"])
def test_a_method_that_is_not_taken_is_refused(hasty: Collector, method: str) -> None:
    for path in ("/v1/track", "/v1/pixel/track", "/health", "/nowhere"):
        said = hasty.say(make_request(path, b"{}", method=method))
        assert split_answers(said)[0][0] in (400, 404, 405)


def test_an_upgrade_is_answered_as_if_it_had_not_been_offered(hasty: Collector) -> None:
    offer = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==",
        "Sec-WebSocket-Version: 13",
    )
    assert split_answers(hasty.say(make_request("/v1/track", b"", *offer, method="GET")))[0][0] == 405
    body = event_bytes()
    answers = split_answers(hasty.say(make_request("/v1/track", body, *offer) + b"\x81\x05hello" * 100))
    assert answers[0] == (200, b'{"success":true}')
    assert body in hasty.bodies()
    assert all(400 <= status < 500 for status, _ in answers[1:])
    h2c = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    assert split_answers(hasty.say(make_request("/v1/track", event_bytes(), *h2c)))[0][0] == 200


# Those who do not wait for answers.
def test_requests_one_behind_the_other_are_answered_in_order(hasty: Collector) -> None:
    events = [event_bytes() for _ in range(300)]
    requests = b"".join(
        make_request("/v1/track", body) if place % 3 else make_request("/v1/nothing", body)
        for place, body in enumerate(events)
    )
    statuses = [status for status, _ in split_answers(hasty.say(requests))]
    assert statuses == [200 if place % 3 else 404 for place in range(300)]
    kept = set(hasty.bodies())
    assert all((body in kept) == bool(place % 3) for place, body in enumerate(events))


def test_a_good_request_before_nonsense_is_still_answered_first(hasty: Collector) -> None:
    body = event_bytes()
    for nonsense in (b"nonsense\r\n\r\n", make_request("/v1/track", b"zz\r\n", "Transfer-Encoding: chunked")):
        answers = split_answers(hasty.say(make_request("/v1/track", body) + nonsense))
        assert answers[0] == (200, b'{"success":true}')
        assert all(400 <= status < 500 for status, _ in answers[1:])


def test_a_flood_of_requests_whose_answers_nobody_reads_fills_no_memory(hasty: Collector) -> None:
    with hasty.connect(3) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        requests = make_request("/v1/track", b"{}", key=None) * 2000
        assert push(line, requests, 512 << 20) < 128 << 20


def test_a_flood_of_small_requests_fills_no_memory(hasty: Collector) -> None:
    requests = make_request("/health", b"", method="GET", key=None) * 5000
    with hasty.connect(2) as line:
        until = time.monotonic() + 3
        heard, unsent = 0, b""
        line.setblocking(False)
        while time.monotonic() < until:
            unsent = unsent or requests
            with suppress(BlockingIOError):
                unsent = unsent[line.send(unsent) :]
            try:
                heard += len(line.recv(1 << 20))
            except BlockingIOError:
                time.sleep(0.001)
        assert heard > 0


def test_what_is_in_flight_is_bounded_and_the_rest_asked_to_come_again(
    start_collector: Callable[..., Collector],
) -> None:
    small = start_collector(in_flight=1 << 20)
    lines = []
    statuses: list[bytes] = []
    for _ in range(8):
        line = small.connect()
        line.sendall(make_request("/v1/batch", b'{"batch":[' + b" " * 400_000, f"Content-Length: {500 * 1024}"))
        lines.append(line)
        time.sleep(0.05)
    for line in lines:
        line.settimeout(0.3)
        try:
            statuses.append(line.recv(4096))
        except TimeoutError:
            statuses.append(b"")
    refused = [said for said in statuses if said]
    assert refused
    assert len(refused) < 8
    for said in refused:
        assert said.startswith(b"HTTP/1.1 429 ")
        seconds = int(said.lower().partition(b"retry-after: ")[2].partition(b"\r\n")[0])
        assert 1 <= seconds <= 300
    for line in lines:
        line.close()
    small.wait_for(lambda: small.post("/v1/track", make_event()).status == 200)
    assert small.tally().in_flight_bytes == 0
