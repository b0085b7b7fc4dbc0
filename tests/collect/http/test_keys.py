"""Whose a write key is, wherever it stands, and that nobody fills our memory with keys of their own."""

from __future__ import annotations

import base64

import pytest

from parcours.collect.http.keys import BODY_BYTES, RUDDERSTACK_BYTES, Sender, Senders, digest_key

KEY = "clé-1"
WEB = Sender("web")


def basic(text: str | bytes) -> bytes:
    return b"Basic " + base64.b64encode(text.encode() if isinstance(text, str) else text)


@pytest.fixture
def senders() -> Senders:
    """Return one known key."""
    return Senders({digest_key(KEY): WEB})


@pytest.mark.parametrize(
    ("authorization", "x_write_key", "expected"),
    [
        (b"", b"", (False, None)),
        (basic(f"{KEY}:"), b"", (True, WEB)),
        (basic(KEY), b"", (True, WEB)),
        (basic(f"{KEY}:secret:with:colons"), b"", (True, WEB)),
        (b"basic  " + base64.b64encode(f"{KEY}:".encode()), b"", (True, WEB)),
        (basic("other:"), b"", (True, None)),
        (basic("other:"), KEY.encode("latin-1"), (True, None)),
        (b"", KEY.encode("latin-1"), (True, WEB)),
        (b"", b" other ", (True, None)),
        (b"Bearer x", b"", (False, None)),
        (b"Bearer x", KEY.encode("latin-1"), (True, WEB)),
        (basic(b"\xff\xfe:"), b"", (False, None)),
        (b"Basic !", b"", (False, None)),
        (b"Basic", b"", (False, None)),
        (basic(":"), b"", (False, None)),
    ],
)
def test_where_a_header_holds_a_key(
    senders: Senders, authorization: bytes, x_write_key: bytes, expected: tuple[bool, Sender | None]
) -> None:
    for _ in range(2):
        assert senders.in_headers(authorization, x_write_key) == expected


@pytest.mark.parametrize("value", [None, "", "***", "other", 7, [KEY], {"a": KEY}, "\ud800"])
def test_what_is_no_key_in_a_body(senders: Senders, value: object) -> None:
    assert senders.in_body(value) is None


def test_a_key_in_a_body(senders: Senders) -> None:
    assert senders.in_body(KEY) is WEB


def test_headers_that_anybody_may_invent_are_not_remembered(senders: Senders) -> None:
    for number in range(20_000):
        senders.in_headers(basic(f"unknown-{number}:"), b"")
        senders.in_headers(basic(f"{KEY}:{number}" + "x" * 1000), b"")
    assert len(senders._by_header) == 0
    for number in range(20_000):
        senders.in_headers(basic(f"{KEY}:{number}"), b"")
    assert len(senders._by_header) < 5000


def test_the_largest_body_is_that_of_the_source_that_may_send_most() -> None:
    assert Senders({}).most_bytes == BODY_BYTES
    assert Senders({"a": WEB, "b": Sender("shop", body_bytes=RUDDERSTACK_BYTES)}).most_bytes == RUDDERSTACK_BYTES
