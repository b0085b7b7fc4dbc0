"""Segment's tracking contract against a real worker and writer: what is sent, what comes back, what is kept."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from tests.collect.http.collector import KEY, Collector, make_event

from parcours.collect.http.keys import Sender
from parcours.collect.http.routes import ROUTES
from parcours.collect.journal.delivery import CALLS

SUCCESS = (200, b'{"success":true}')
SINGLES = sorted(path for path, route in ROUTES.items() if route.answers == "track" and route.kind != "batch")
BATCHES = sorted(path for path, route in ROUTES.items() if route.answers == "track" and route.kind == "batch")
PIXELS = sorted(path for path, route in ROUTES.items() if route.answers == "pixel")


def encode(document: object) -> bytes:
    return json.dumps(document).encode()


def last_kept(collector: Collector) -> tuple[str, str, bytes]:
    last = collector.deliveries()[-1]
    return last.source, last.kind, last.body


@pytest.mark.parametrize("path", SINGLES)
def test_a_single_event_is_kept_as_it_was_sent(collector: Collector, path: str) -> None:
    body = encode(make_event())
    assert collector.post(path, body)[::2] == SUCCESS
    assert last_kept(collector) == ("web", ROUTES[path].kind, body)


@pytest.mark.parametrize("path", BATCHES)
def test_a_batch_is_kept_as_it_was_sent(collector: Collector, path: str) -> None:
    body = encode({"batch": [make_event(), make_event()], "sentAt": "2026-11-25T10:00:00Z"})
    assert collector.post(path, body)[::2] == SUCCESS
    assert last_kept(collector) == ("web", "batch", body)


def test_every_call_has_its_documented_and_its_short_address() -> None:
    for call in CALLS:
        for path in (f"/v1/{call}", f"/v1/{call[0]}", f"/api/s/{call}"):
            assert ROUTES[path].kind == call


@pytest.mark.parametrize("path", ["/v1/track/", "/v1/batch/"])
def test_one_slash_too_many_is_forgiven(collector: Collector, path: str) -> None:
    body = encode({"batch": []} if "batch" in path else make_event())
    assert collector.post(path, body)[::2] == SUCCESS


def test_an_empty_batch_is_accepted_and_keeps_nothing(collector: Collector) -> None:
    before = len(collector.deliveries())
    assert collector.post("/v1/batch", {"batch": []})[::2] == SUCCESS
    assert len(collector.deliveries()) == before


@pytest.mark.parametrize("path", ["/v1/m", "/m"])
def test_metrics_of_browsers_are_read_and_forgotten(collector: Collector, path: str) -> None:
    before = len(collector.deliveries())
    assert collector.post(path, {"series": [{"type": "Counter"}]}, key=None)[::2] == SUCCESS
    assert len(collector.deliveries()) == before


WAYS_TO_AUTHENTICATE: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "basic": ({"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}, {}),
    "basic in capitals": ({"Authorization": "BASIC " + base64.b64encode(f"{KEY}:".encode()).decode()}, {}),
    "basic with a password": ({"Authorization": "Basic " + base64.b64encode(f"{KEY}:x".encode()).decode()}, {}),
    "in the body": ({}, {"writeKey": KEY}),
    "bearer and body": ({"Authorization": "Bearer some.oauth.token"}, {"writeKey": KEY}),
    "x-write-key": ({"X-Write-Key": KEY}, {}),
    "x-write-key, masked in the body": ({"X-Write-Key": KEY}, {"writeKey": "***"}),
    "the header beats the body": ({"X-Write-Key": KEY}, {"writeKey": "unknown"}),
    "a header that holds no key": ({"Authorization": "Basic Og=="}, {"writeKey": KEY}),
}


@pytest.mark.parametrize("way", WAYS_TO_AUTHENTICATE)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_ways_to_authenticate(collector: Collector, way: str, path: str) -> None:
    headers, fields = WAYS_TO_AUTHENTICATE[way]
    body = {"batch": [make_event()], **fields} if path == "/v1/batch" else make_event(**fields)
    assert collector.post(path, body, headers, key=None)[::2] == SUCCESS
    assert last_kept(collector)[2] == encode(body)


WRONG_KEYS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "none": ({}, {}),
    "unknown, basic": ({"Authorization": "Basic " + base64.b64encode(b"unknown:").decode()}, {}),
    "unknown, in the body": ({}, {"writeKey": "unknown"}),
    "masked, in the body alone": ({}, {"writeKey": "***"}),
    "a number": ({}, {"writeKey": 7}),
    "a list": ({}, {"writeKey": [KEY]}),
    "unknown in the header, known in the body": ({"X-Write-Key": "unknown"}, {"writeKey": KEY}),
    "bearer alone": ({"Authorization": f"Bearer {KEY}"}, {}),
    "basic that is no base64": ({"Authorization": "Basic §§"}, {}),
    "very long": ({"X-Write-Key": "k" * 20_000}, {}),
}


@pytest.mark.parametrize("way", WRONG_KEYS)
def test_an_unknown_key_is_refused_and_nothing_kept(collector: Collector, way: str) -> None:
    headers, fields = WRONG_KEYS[way]
    before = len(collector.deliveries())
    answer = collector.post("/v1/track", make_event(**fields), headers, key=None)
    assert (answer.status, answer.document["code"]) == (401, "invalid_write_key")
    assert len(collector.deliveries()) == before


CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "multipart/form-data",
    "nonsense",
)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_the_content_type_is_never_looked_at(collector: Collector, content_type: str) -> None:
    body = encode({"batch": [make_event()]})
    assert collector.post("/v1/batch", body, {"Content-Type": content_type})[::2] == SUCCESS
    packed = gzip.compress(body)
    assert collector.post("/v1/batch", packed, {"Content-Type": content_type})[::2] == SUCCESS
    assert collector.bodies()[-2:] == [body, body]


def pack_raw(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "GZIP": ("GZIP", gzip.compress),
    "gzip, not said": ("", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "identity": ("identity", bytes),
    "two members": ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
    "an empty member first": ("gzip", lambda data: gzip.compress(b"") + gzip.compress(data)),
}


@pytest.mark.parametrize("way", PACKED)
def test_a_packed_body_is_kept_inflated(collector: Collector, way: str) -> None:
    encoding, pack = PACKED[way]
    body = encode(make_event())
    answer = collector.post("/v1/track", pack(body), {"Content-Encoding": encoding} if encoding else {})
    assert answer[::2] == SUCCESS
    assert last_kept(collector)[2] == body


BADLY_PACKED: dict[str, tuple[int, str, str, Callable[[bytes], bytes]]] = {
    "cut short": (400, "invalid_encoding", "gzip", lambda data: gzip.compress(data)[:-9]),
    "damaged": (400, "invalid_encoding", "gzip", lambda data: gzip.compress(data)[:20] + b"xxxxxxxx"),
    "not gzip at all": (400, "invalid_encoding", "gzip", bytes),
    "bytes after it": (400, "invalid_encoding", "gzip", lambda data: gzip.compress(data) + b"junk"),
    "raw deflate": (400, "invalid_encoding", "deflate", pack_raw),
    "gzip in gzip": (400, "invalid_json", "gzip", lambda data: gzip.compress(gzip.compress(data))),
    "brotli": (415, "invalid_encoding", "br", bytes),
    "zstd": (415, "invalid_encoding", "zstd", bytes),
    "a thousand members": (400, "invalid_encoding", "gzip", lambda data: gzip.compress(b"") * 1000),
}


@pytest.mark.parametrize("way", BADLY_PACKED)
def test_a_badly_packed_body_is_refused(collector: Collector, way: str) -> None:
    status, code, encoding, pack = BADLY_PACKED[way]
    before = len(collector.deliveries())
    answer = collector.post("/v1/track", pack(encode(make_event())), {"Content-Encoding": encoding})
    assert (answer.status, answer.document["code"]) == (status, code)
    assert len(collector.deliveries()) == before


# Sizes: 32 KB an event, 500 KB a batch.
def test_an_event_of_the_largest_size_is_taken_and_one_more_byte_is_not(collector: Collector) -> None:
    frame = len(encode(make_event(fill="")))
    assert collector.post("/v1/track", make_event(fill="x" * (32 * 1024 - frame)))[::2] == SUCCESS
    answer = collector.post("/v1/track", make_event(fill="x" * (32 * 1024 - frame + 1)))
    assert (answer.status, answer.document["code"]) == (400, "event_too_large")


def test_a_batch_of_the_largest_size_is_taken_and_one_more_byte_is_not(collector: Collector) -> None:
    frame = len(encode({"batch": [], "fill": ""}))
    assert collector.post("/v1/batch", {"batch": [], "fill": "x" * (500 * 1024 - frame)})[::2] == SUCCESS
    answer = collector.post("/v1/batch", {"batch": [], "fill": "x" * (500 * 1024 - frame + 1)})
    assert (answer.status, answer.document["code"]) == (400, "body_too_large")


def test_twenty_seven_events_of_twenty_thousand_characters_are_too_many(collector: Collector) -> None:
    answer = collector.post("/v1/batch", {"batch": [make_event(fill="x" * 20_000) for _ in range(27)]})
    assert (answer.status, answer.document["code"]) == (400, "body_too_large")


def test_an_oversize_event_in_a_batch_does_not_hold_up_the_others(collector: Collector) -> None:
    body = encode({"batch": [make_event(), make_event(fill="x" * 40_000), make_event()]})
    assert collector.post("/v1/batch", body)[::2] == SUCCESS
    assert last_kept(collector)[2] == body


def test_more_than_2500_events_are_taken(collector: Collector) -> None:
    body = encode({"batch": [{"event": "e"}] * 3000})
    assert collector.post("/v1/batch", body)[::2] == SUCCESS


def test_a_source_with_larger_sdks_may_send_more(start_collector: Callable[..., Collector]) -> None:
    keys = {KEY: Sender("web"), "rudder": Sender("shop", body_bytes=4_000 * 1024)}
    collector = start_collector(senders=keys)
    body = encode({"batch": [make_event(fill="x" * 30_000) for _ in range(100)]})
    assert collector.post("/v1/batch", body, key="rudder")[::2] == SUCCESS
    assert last_kept(collector) == ("shop", "batch", body)
    assert collector.post("/v1/batch", body).document["code"] == "body_too_large"
    with_key = body[:-1] + b',"writeKey":"' + KEY.encode() + b'"}'
    assert collector.post("/v1/batch", with_key, key=None).document["code"] == "body_too_large"
    assert collector.post("/v1/batch", gzip.compress(body)).document["code"] == "body_too_large"


def test_a_source_may_name_the_origins_it_takes_from(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector(senders={KEY: Sender("web", origins=("https://shop.example",))})
    assert collector.post("/v1/track", make_event(), {"Origin": "https://shop.example"})[::2] == SUCCESS
    assert collector.post("/v1/track", make_event())[::2] == SUCCESS
    answer = collector.post("/v1/track", make_event(), {"Origin": "https://elsewhere.example"})
    assert (answer.status, answer.document["code"]) == (403, "origin_refused")


NO_JSON = {
    "empty": b"", "half": b'{"event":"x"', "a word": b"hello", "form": b"data=e30%3D", "null byte": b'{"a":"\x00"}',
    "trailing": b'{"event":"x"} x', "single quotes": b"{'event':'x'}", "byte order mark": b'\xef\xbb\xbf{"event":"x"}',
    "utf-16": '{"event":"x"}'.encode("utf-16"), "not utf-8": b'{"event":"\xff\xfe"}', "nan": b'{"a":NaN}',
    "100,000 levels": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("way", NO_JSON)
def test_what_is_no_json_is_refused(collector: Collector, way: str) -> None:
    before = len(collector.deliveries())
    answer = collector.post("/v1/track", NO_JSON[way])
    expected = "event_too_large" if len(NO_JSON[way]) > 32 * 1024 and way != "100,000 levels" else "invalid_json"
    assert (answer.status, answer.document["code"]) == (400, expected)
    assert isinstance(answer.document["message"], str)
    assert len(collector.deliveries()) == before


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'"x"', b"null", b'{"batch":{}}', b'{"batch":null}', b'{"batch":"x"}', b'{"batch":1}']
)
def test_a_batch_that_is_no_array_is_refused(collector: Collector, body: bytes) -> None:
    answer = collector.post("/v1/batch", body)
    assert (answer.status, answer.document["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"x"'])
def test_an_event_that_is_no_object_is_refused(collector: Collector, body: bytes) -> None:
    answer = collector.post("/v1/track", body)
    assert (answer.status, answer.document["code"]) == (400, "invalid_request")


HALF_CHARACTERS = {
    "half a surrogate pair": rb'{"event":"\ud83d"}', "the other half": rb'{"event":"\ude00 and \ud83d\ude00"}',
    "NUL": rb'{"event":"\u0000"}', "an escaped backslash": rb'{"event":"\\ud83d\\"}',
}  # fmt: skip


@pytest.mark.parametrize("way", HALF_CHARACTERS)
def test_characters_that_json_allows_are_kept_as_they_came(collector: Collector, way: str) -> None:
    body = HALF_CHARACTERS[way]
    assert collector.post("/v1/track", body)[::2] == SUCCESS
    batch = b'{"batch":[{"event":"good"},' + body + b"]}"
    assert collector.post("/v1/batch", batch)[::2] == SUCCESS
    assert collector.bodies()[-2:] == [body, batch]


def test_bytes_that_are_no_utf8_in_one_event_do_not_hold_up_its_batch(collector: Collector) -> None:
    body = b'{"batch":[{"event":"good"},{"event":"\xff"}]}'
    assert collector.post("/v1/batch", body)[::2] == SUCCESS
    assert last_kept(collector)[2] == body


@pytest.mark.parametrize("event", [{}, {"event": "no id"}, {"userId": "no name"}, {"anonymousId": None}])
def test_what_segment_takes_though_it_means_nothing_is_taken(collector: Collector, event: dict[str, object]) -> None:
    assert collector.post("/v1/track", event)[::2] == SUCCESS


# CORS.
@pytest.mark.parametrize("path", ["/v1/t", "/v1/b", "/v1/batch", "/v1/projects/x/settings", "/v1/m", "/v1/pixel/page"])
def test_a_preflight_allows_what_the_browser_sdk_sends(collector: Collector, path: str) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count,x-write-key",
    }
    answer = collector.ask("OPTIONS", path, None, asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {"authorization", "content-type", "x-retry-count", "x-write-key"}
    methods = {name.strip() for name in answer.headers["access-control-allow-methods"].split(",")}
    assert methods == {"POST", "GET", "OPTIONS"}


def test_every_answer_may_be_read_by_a_page(collector: Collector) -> None:
    answers = (
        collector.post("/v1/t", make_event()),
        collector.post("/v1/t", b"no json"),
        collector.post("/v1/t", make_event(), key="unknown"),
        collector.get("/v1/t"),
    )
    assert [answer.status for answer in answers] == [200, 400, 401, 405]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "Retry-After"


# The pixel.
def code_url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


PIXEL_DATA: dict[str, Callable[[bytes], str]] = {
    "base64": lambda data: quote(base64.b64encode(data).decode(), safe=""),
    "base64, not escaped": lambda data: base64.b64encode(data).decode(),
    "url-safe": code_url_safe,
    "without padding": lambda data: code_url_safe(data).rstrip("="),
    "plain": lambda data: quote(data.decode()),
    "plain, not escaped": lambda data: data.decode().replace(" ", "+"),
}


@pytest.mark.parametrize("way", PIXEL_DATA)
@pytest.mark.parametrize("event", ["a", "ab?>", "ab~~>>??é"])
def test_a_pixel_keeps_its_event(collector: Collector, way: str, event: str) -> None:
    body = json.dumps(make_event(writeKey=KEY, event=event)).encode()
    answer = collector.get(f"/v1/pixel/track?data={PIXEL_DATA[way](body)}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.body.startswith(b"GIF89a")
    assert last_kept(collector) == ("web", "track", body)


@pytest.mark.parametrize("path", PIXELS)
def test_every_pixel_has_its_kind(collector: Collector, path: str) -> None:
    body = json.dumps(make_event(writeKey=KEY)).encode()
    assert collector.get(f"{path}?data={code_url_safe(body)}").status == 200
    assert last_kept(collector) == ("web", path.rpartition("/")[2], body)


LOST_PIXELS = {
    "nothing": "",
    "no data": "?x=1",
    "empty": "?data=",
    "no base64": "?data=%%%%",
    "no json": "?data=" + code_url_safe(b"hello"),
    "no key": "?data=" + code_url_safe(b'{"event":"x"}'),
    "unknown key": "?data=" + code_url_safe(b'{"writeKey":"unknown"}'),
    "not utf-8": "?data=%7B%22writeKey%22:%22" + KEY + "%22,%22a%22:%22%ff%22%7D",
    "too many fields": "?" + "a=1&" * 1000 + "data=e30",
    "too large": "?data=" + quote(json.dumps({"writeKey": KEY, "fill": "x" * 33_000})),
}


def test_a_pixel_is_always_a_picture_and_what_is_lost_is_counted(collector: Collector) -> None:
    before, kept = collector.tally().pixels_lost, len(collector.deliveries())
    for way, query in LOST_PIXELS.items():
        answer = collector.get(f"/v1/pixel/page{query}")
        assert (answer.status, answer.headers["content-type"]) == (200, "image/gif"), way
    assert collector.tally().pixels_lost == before + len(LOST_PIXELS)
    assert len(collector.deliveries()) == kept


def test_the_headers_of_a_pixel_alone_are_no_event(collector: Collector) -> None:
    before = len(collector.deliveries())
    data = code_url_safe(json.dumps(make_event(writeKey=KEY)).encode())
    answer = collector.ask("HEAD", f"/v1/pixel/track?data={data}")
    assert (answer.status, answer.body) == (200, b"")
    assert len(collector.deliveries()) == before


# The settings.
@pytest.mark.parametrize("start", ["/v1/projects", "/projects", "/v1/projects/projects", "/projects/projects"])
def test_the_settings_lead_the_browser_sdk_here(collector: Collector, start: str) -> None:
    answer = collector.get(f"{start}/{KEY}/settings")
    assert answer.status == 200
    destination = answer.document["integrations"]["Segment.io"]
    assert destination["apiKey"] == KEY
    assert destination["apiHost"] == f"127.0.0.1:{collector.port}/v1"
    assert destination["protocol"] == "http"
    assert answer.document["plan"]["track"]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("key", ["unknown", "%00", "..", "a%2Fb", "x" * 5000])
def test_the_settings_of_an_unknown_key_are_not_there(collector: Collector, key: str) -> None:
    answer = collector.get(f"/v1/projects/{key}/settings")
    assert answer.status == 404
    assert {"code", "message"} <= set(answer.document)


# Methods, addresses, hosts.
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/track"),
        ("PUT", "/v1/track"),
        ("DELETE", "/v1/batch"),
        ("POST", "/v1/pixel/track"),
        ("PATCH", "/v1/b"),
        ("POST", "/health"),
    ],
)
def test_another_method_is_refused_with_those_that_are_taken(collector: Collector, method: str, path: str) -> None:
    answer = collector.ask(method, path, b"{}")
    assert (answer.status, answer.document["code"]) == (405, "method_not_allowed")
    assert method not in answer.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/unknown", "/v2/track", "//v1/track", "/v1/track/x", "/V1/TRACK"]
)
def test_there_is_nothing_elsewhere(collector: Collector, path: str) -> None:
    answer = collector.ask("POST", path, b"{}")
    assert (answer.status, answer.document["code"]) == (404, "not_found")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::2]"])
def test_a_host_that_is_not_ours_is_refused(collector: Collector, host: str) -> None:
    for path in ("/v1/track", "/health", "/v1/pixel/track"):
        answer = collector.ask("POST" if path == "/v1/track" else "GET", path, b"{}", {"Host": host})
        assert (answer.status, answer.document["code"]) == (421, "host_not_served")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:8601"])
def test_the_loopback_is_always_served(collector: Collector, host: str) -> None:
    assert collector.post("/v1/track", make_event(), {"Host": host})[::2] == SUCCESS


def test_hosts_that_were_named_are_served(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector(hosts=("Events.Shop.example",))
    assert collector.post("/v1/track", make_event(), {"Host": "events.shop.example:443"})[::2] == SUCCESS
    assert collector.post("/v1/track", make_event(), {"Host": "shop.example"}).status == 421
    collector.tell(hosts=("*",))
    collector.wait_for(lambda: collector.post("/v1/track", make_event(), {"Host": "any.example"}).status == 200)


# Who the client is.
def test_a_forwarded_address_is_anybodys_word_unless_a_proxy_of_ours_says_it(
    start_collector: Callable[..., Collector],
) -> None:
    collector = start_collector()
    told = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9", "X-Forwarded-Proto": "https"}
    assert collector.post("/v1/track", make_event(), told).status == 200
    assert collector.deliveries()[-1].address == "127.0.0.1"
    assert collector.ask("GET", f"/v1/projects/{KEY}/settings", None, told).document["integrations"]["Segment.io"][
        "protocol"
    ] == "http"  # fmt: skip
    collector.tell(forwarded=True)
    collector.wait_for(
        lambda: (
            collector.post("/v1/track", make_event(), told).status == 200
            and collector.deliveries()[-1].address == "198.51.100.9"
        )
    )
    settings = collector.ask("GET", f"/v1/projects/{KEY}/settings", None, told).document
    assert settings["integrations"]["Segment.io"]["protocol"] == "https"
    collector.post("/v1/track", make_event(), {"X-Forwarded-For": "<script>"})
    assert collector.deliveries()[-1].address == ""


def test_keys_that_are_withdrawn_are_refused_from_then_on(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector()
    assert collector.post("/v1/track", make_event()).status == 200
    collector.tell(senders={})
    collector.wait_for(lambda: collector.post("/v1/track", make_event()).status == 401)


def test_retries_are_counted(collector: Collector) -> None:
    before = collector.tally().sources["web"].retries if "web" in collector.tally().sources else 0
    collector.post("/v1/track", make_event(), {"X-Retry-Count": "2"})
    collector.post("/v1/track", make_event(), {"X-Retry-Count": "0"})
    assert collector.tally().sources["web"].retries == before + 1


def test_when_too_much_waits_everybody_is_asked_to_come_again(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector()
    collector.tell(full=True)
    collector.wait_for(lambda: collector.post("/v1/track", make_event()).status == 429)
    answer = collector.post("/v1/track", make_event())
    assert answer.document["code"] == "queue_full"
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert collector.get("/ready").document == {"status": "not_ready", "reason": "queue_full"}
    kept = len(collector.deliveries())
    assert collector.get("/v1/pixel/track?data=" + code_url_safe(encode(make_event(writeKey=KEY)))).status == 200
    assert len(collector.deliveries()) == kept
    collector.tell(full=False)
    collector.wait_for(lambda: collector.post("/v1/track", make_event()).status == 200)
