"""Addresses: what is one, and what is refused with a remedy."""

from __future__ import annotations

import pytest

from parcours.collect.conform.target import read_target
from parcours.errors import ParcoursError


@pytest.mark.parametrize(
    ("url", "authority", "port", "base"),
    [
        ("http://127.0.0.1:8601", "127.0.0.1:8601", 8601, ""),
        ("http://127.0.0.1:8601/", "127.0.0.1:8601", 8601, ""),
        ("https://events.example", "events.example", 443, ""),
        ("http://events.example:80/collect/", "events.example", 80, "/collect"),
        ("http://[::1]:8601", "[::1]:8601", 8601, ""),
    ],
)
def test_an_address_is_taken_apart(url: str, authority: str, port: int, base: str) -> None:
    target = read_target(url)
    assert (target.authority, target.port, target.base) == (authority, port, base)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8601", "127.0.0.1", "ftp://host", "http://", "http://host:port", "http://host:0", "http://host:70000",
     "http://key@host", "http://host?key=1", "http://host#x", "http://ho st", "http://hôte", "file:///etc/passwd",
     "http://host\r\nX: 1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ParcoursError) as caught:
        read_target(url)
    assert caught.value.code == "unusable_url"


def test_an_address_with_v1_is_told_to_leave_it_out() -> None:
    with pytest.raises(ParcoursError) as caught:
        read_target("http://127.0.0.1:8601/collect/v1/")
    assert caught.value.code == "url_with_v1"
    assert caught.value.faults[0].remedy.en.endswith("http://127.0.0.1:8601/collect")
