"""Webhooks out: what is sent, what every answer means, and everything that a receiver can do wrong."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from tests.collect.connectors.conftest import rows_source, where_of
from tests.receiver import Receiver
from tests.wire import free_port

from parcours.collect.connectors.contract import Outlet, Parcel
from parcours.collect.connectors.posting import is_loopback, read_retry_after
from parcours.collect.connectors.signing import sign
from parcours.collect.connectors.webhook import WEBHOOK
from parcours.errors import ParcoursError
from parcours.settings import Settings

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def open_hook(url: str, folder: Path = Path(), **options: Any) -> Outlet:
    plain = {"url": url, "secret": "${HOOK_SECRET}", "timeout": "2s", **options}
    return WEBHOOK.open_outlet("crm", plain, Settings(), folder)


def parcels(count: int, first: int = 1) -> list[Parcel]:
    return [Parcel(number, f"m{number}", b'{"n":%d}' % number) for number in range(first, first + count)]


def test_each_parcel_is_one_signed_post_in_order(receiver: Receiver) -> None:
    outlet = open_hook(receiver.url)
    outcome = outlet.send(parcels(3))
    outlet.close()
    assert (outcome.delivered, outcome.verdict) == (3, "done")
    assert receiver.ids == ["m1", "m2", "m3"]
    for _, headers, body in receiver.requests:
        stamp = int(headers["webhook-timestamp"])
        assert abs(stamp - time.time()) < 60
        assert headers["webhook-signature"] == sign(KEY, headers["webhook-id"], stamp, body)
        assert headers["content-type"] == "application/json"
    assert [body for *_, body in receiver.requests] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_an_old_secret_signs_beside_the_new_one(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD_SECRET", "whsec_" + base64.b64encode(b"o" * 32).decode())
    open_hook(receiver.url, old_secret="${OLD_SECRET}").send(parcels(1))
    ((_, headers, body),) = receiver.requests
    stamp = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split(" ")[1] == sign(b"o" * 32, "m1", stamp, body)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 451])
def test_a_client_error_refuses_that_parcel_alone(receiver: Receiver, status: int) -> None:
    outlet = open_hook(receiver.url)
    receiver.answers = [(200, {}, b""), (status, {"Retry-After": "9"}, b"no")]
    outcome = outlet.send(parcels(3))
    assert (outcome.delivered, outcome.verdict, outcome.retry_after_s) == (1, "refused", None)
    assert outcome.fault is not None
    assert str(status) in outcome.fault.sentence.en
    assert outlet.send(parcels(1, first=3)).verdict == "done"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 301, 302, 307, 308, 304])
def test_what_may_pass_is_tried_again_later_and_nothing_overtakes_it(receiver: Receiver, status: int) -> None:
    outlet = open_hook(receiver.url)
    headers = {"Location": "http://127.0.0.1:1/elsewhere"} if status < 400 else {}
    receiver.answers = [(200, {}, b""), (status, headers, b"")]
    outcome = outlet.send(parcels(3))
    assert (outcome.delivered, outcome.verdict) == (1, "later")
    assert len(receiver.requests) == 2, "neither the redirect nor the parcel behind it was followed"
    assert outlet.send(parcels(2, first=2)).verdict == "done"
    assert receiver.ids == ["m1", "m2", "m3"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wish_to_be_left_alone_is_passed_on(receiver: Receiver, status: int) -> None:
    outlet = open_hook(receiver.url)
    receiver.answers = [
        (status, {"Retry-After": "17"}, b""),
        (status, {"Retry-After": formatdate(time.time() + 90)}, b""),
    ]
    assert outlet.send(parcels(1)).retry_after_s == 17
    asked_s = outlet.send(parcels(1)).retry_after_s
    assert asked_s is not None
    assert 80 < asked_s <= 90


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 12 ", 12),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 99 Jan 1970 00:00:00 GMT", None),
        ("9" * 400, float("inf")),
    ],
)
def test_every_form_of_retry_after(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, 10.0) == seconds


def test_a_receiver_that_is_down_is_told_and_gets_all_once_it_is_up(receiver: Receiver) -> None:
    outlet = open_hook(receiver.url)
    assert outlet.send(parcels(1)).verdict == "done"
    receiver.down()
    outcome = outlet.send(parcels(2, first=2))
    assert outcome.verdict == "later"
    assert outcome.fault is not None
    assert (outcome.fault.code, bool(outcome.fault.remedy.fr)) == ("webhook_unreachable", True)
    receiver.up()
    assert outlet.send(parcels(2, first=2)).verdict == "done"
    assert list(dict.fromkeys(receiver.ids)) == ["m1", "m2", "m3"]


def test_a_kept_connection_that_the_receiver_has_ended_is_no_fault(receiver: Receiver) -> None:
    outlet = open_hook(receiver.url)
    for number in range(1, 4):
        assert outlet.send(parcels(1, first=number)).verdict == "done"
        receiver.down()
        receiver.up()
    assert receiver.ids == ["m1", "m2", "m3"]


@contextlib.contextmanager
def rude(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A receiver that reads a request and then behaves as it likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_behave, args=(connection,), daemon=True).start()

    def _behave(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65_536)
            behave(connection)

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def trickle(text: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        for letter in text * 1000:
            connection.sendall(bytes([letter]))
            time.sleep(0.02)

    return behave


RUDE: dict[str, Callable[[socket.socket], None]] = {
    "says nothing": lambda connection: time.sleep(30),
    "hangs up": lambda connection: None,
    "speaks no HTTP": lambda connection: connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n"),
    "sends garbage": lambda connection: connection.sendall(bytes(range(256)) * 10),
    "trickles a header": trickle(b"HTTP/1.1 200 OK\r\nX: y"),
    "continues for ever": trickle(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "sends endless headers": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000),
    "sends one endless header": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000_000),
    "ends in the middle": lambda connection: connection.sendall(b"HTTP/1.1 20"),
}


@pytest.mark.parametrize("behaviour", RUDE)
def test_a_rude_receiver_is_tried_again_later_and_never_holds_the_thread(behaviour: str) -> None:
    with rude(RUDE[behaviour]) as url:
        outlet = open_hook(url, timeout="300ms")
        outcome = outlet.send(parcels(2))
        outlet.close()
    assert (outcome.delivered, outcome.verdict) == (0, "later")
    assert outcome.fault is not None
    assert outcome.fault.code == "webhook_unreachable"


def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65_536)

    with rude(flood) as url:
        outlet = open_hook(url)
        assert outlet.send(parcels(2)).delivered == 2
        outlet.close()
    assert sent < 50_000_000


def test_a_close_cuts_an_attempt_short() -> None:
    with rude(RUDE["says nothing"]) as url:
        outlet = open_hook(url, timeout="1min")
        outcomes: list[Any] = []
        thread = threading.Thread(target=lambda: outcomes.append(outlet.send(parcels(1))))
        thread.start()
        time.sleep(0.1)
        outlet.close()
        thread.join(1.0)
        assert not thread.is_alive()
        assert outcomes[0].verdict == "later"
        assert outlet.send(parcels(1)).verdict == "later", "what is closed stays closed"


def test_an_id_that_no_header_can_hold_does_not_block_the_queue(receiver: Receiver) -> None:
    outlet = open_hook(receiver.url)
    ids = ["a\r\nX-Evil: 1", "é", "", "x" * 5000, "\ud800", "plain"]
    assert outlet.send([Parcel(n, one, b"{}") for n, one in enumerate(ids)]).delivered == len(ids)
    assert len(set(receiver.ids)) == len(ids)
    assert receiver.ids[-1] == "plain"
    assert not any("x-evil" in headers for _, headers, _ in receiver.requests)


def test_https_is_checked_against_the_authorities_that_are_named(certificate: tuple[Path, Path]) -> None:
    secure = Receiver(tls=certificate)
    try:
        stranger = open_hook(secure.url)
        outcome = stranger.send(parcels(1))
        assert outcome.verdict == "later"
        assert outcome.fault is not None
        assert "self-signed certificate" in outcome.fault.sentence.en
        friend = open_hook(secure.url, certificate[0].parent, authorities=certificate[0].name)
        assert friend.send(parcels(3)).verdict == "done"
        friend.close()
    finally:
        secure.down()


def test_nothing_listens_behind_https(certificate: tuple[Path, Path]) -> None:
    outcome = open_hook(f"https://127.0.0.1:{free_port()}/").send(parcels(1))
    assert outcome.verdict == "later"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "https://",
        "https:///x",
        "//x",
        "https://exa mple.com",
        "https://example.com/é",
        "https://example.com/\r\nX: y",
        "https://example.com:99999/",
        "http://[::1",
        "http://localhost.evil.example/",
    ],
)
def test_only_https_or_the_loopback(url: str) -> None:
    with pytest.raises(ParcoursError) as told:
        open_hook(url)
    assert told.value.code == "not_https"
    where = where_of(f"{{url: {url!r}, secret: '${{HOOK_SECRET}}'}}", "out")
    if "://" in url:
        assert [fault.code for fault in WEBHOOK.check({"url": url, "secret": "${HOOK_SECRET}"}, where)] == ["not_https"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_the_loopback_by_its_names(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback(f"x{host}")


@pytest.mark.parametrize(
    ("options", "variables", "code"),
    [
        ({"secret": "${NOT_SET_ANYWHERE}"}, {}, "secret_not_set"),
        ({}, {"HOOK_SECRET": "too-short"}, "secret_unreadable"),
        ({"authorities": "nothing.pem"}, {}, "file_unreadable"),
        ({"timout": "1s"}, {}, "unknown_key"),
    ],
)
def test_what_keeps_it_from_starting_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, Any], variables: dict[str, str], code: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ParcoursError) as told:
        open_hook("https://example.com/", tmp_path, **options)
    assert told.value.code == code
    assert "too-short" not in str(told.value)


def test_all_faults_of_the_options_are_told_at_once_with_their_lines() -> None:
    text = "url: http://example.com/\ntimeout: 10min\nurll: x\n"
    where = where_of(text, "out")
    found = {(fault.code, fault.line) for fault in WEBHOOK.check(where.node.data, where)}
    assert found == {("not_https", 1), ("out_of_range", 2), ("unknown_key", 3), ("missing_field", 1)}


def test_the_secret_and_a_secret_url_never_show(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{free_port()}/services/T0K3N")
    outlet = open_hook("${HOOK_URL}")
    outcome = outlet.send(parcels(1))
    seen = f"{outcome} {outlet!r} {caplog.text}"
    assert "T0K3N" not in seen
    assert SECRET not in seen


def test_nothing_comes_in_by_a_webhook() -> None:
    with pytest.raises(ParcoursError) as told:
        WEBHOOK.open_inlet(rows_source("webhook"), {}, Settings(), Path())
    assert told.value.code == "connector_role"
