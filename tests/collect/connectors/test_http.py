"""The options of an HTTP source: defaults, limits, names, origins, and every fault at once."""

from __future__ import annotations

import pytest
from tests.collect.connectors.conftest import node_of

from parcours.collect.connectors.http import HttpOptions, check_http, http_options, is_origin
from parcours.collect.source import Source


def test_the_defaults_are_those_of_the_sdk() -> None:
    assert http_options(Source(source="web", connector="http")) == HttpOptions()
    assert HttpOptions().body_bytes == 500 * 1024
    assert HttpOptions(sdk="rudderstack").body_bytes == 4096 * 1024
    assert HttpOptions(max_body_kb=64).body_bytes == 64 * 1024


def test_calls_have_names_of_their_own_unless_they_are_given_others() -> None:
    options = HttpOptions(names={"page": "Page Seen"})
    assert options.event_name("page") == "Page Seen"
    assert options.event_name("identify") == "Identified"


def test_options_are_read_from_a_checked_source() -> None:
    plain = {"sdk": "jitsu", "origins": ["https://www.example.com"], "same_id": "content", "max_body_kb": 64}
    read = http_options(Source(source="web", connector="http", options=plain))
    assert (read.sdk, read.origins, read.same_id) == ("jitsu", ("https://www.example.com",), "content")


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    node = node_of(
        """sdk: mixpanel
names: {track: X, page: ""}
same_id: keep
max_body_kb: 0
origins: ["https://ok.example", "ok.example", "https://ok.example/path"]
nmaes: {}
"""
    )
    found = [(fault.code, fault.line) for fault in check_http(node.data, node)]
    assert sorted(found) == [
        ("bad_event_name", 2),
        ("bad_origin", 5),
        ("bad_origin", 5),
        ("out_of_range", 4),
        ("unknown_choice", 1),
        ("unknown_choice", 3),
        ("unknown_key", 2),
        ("unknown_key", 6),
    ]


def test_a_size_of_the_wrong_type_is_told_once() -> None:
    node = node_of("max_body_kb: large")
    assert [fault.code for fault in check_http(node.data, node)] == ["wrong_type"]


@pytest.mark.parametrize("text", ["https://x.fr", "http://localhost:8600", "https://[::1]:443", "https://a-b.x.fr"])
def test_what_is_an_origin(text: str) -> None:
    assert is_origin(text)


@pytest.mark.parametrize(
    "text", ["", "*", "x.fr", "https://", "https://x.fr/", "https://x.fr?a", "ftp://x.fr", "https://u@x.fr", "null"]
)
def test_what_is_no_origin(text: str) -> None:
    assert not is_origin(text)
