"""Forms: a token holds for one form and its values, for a while, in one process; requests from elsewhere do not."""

from __future__ import annotations

import pytest

from parcours.workspaces import forms
from parcours.workspaces.forms import VALID_S, check, is_own, sign


def test_a_token_holds_for_its_form_and_values() -> None:
    token = sign("replay", "web", "no_id")
    assert check(token, "replay", "web", "no_id")
    for other in (("replay", "app", "no_id"), ("replay", "web", ""), ("forget", "web", "no_id"), ("replay", "web")):
        assert not check(token, *other)


def test_values_cannot_be_shifted_into_each_other() -> None:
    assert not check(sign("replay", "ab", "c"), "replay", "a", "bc")
    assert not check(sign("replay", "a\x001:b"), "replay", "a", "b")


def test_a_token_ends() -> None:
    token = sign("replay", "web", now_s=1_000)
    assert check(token, "replay", "web", now_s=1_000 + VALID_S)
    assert not check(token, "replay", "web", now_s=1_001 + VALID_S)
    assert not check(token, "replay", "web", now_s=900)  # made in the future
    assert not check(token, "replay", "web", valid_s=60, now_s=1_100)


@pytest.mark.parametrize(
    "token",
    ["", ".", "1", "x.y", "1.", "-1.a", "1e3.a", "²." + "0" * 64, "9" * 40 + ".a", "1." + "0" * 64, "é", "1.\ud800"],
)
def test_what_nobody_made_is_no_token(token: str) -> None:
    assert not check(token, "replay", "web", now_s=1_000)


def test_another_process_makes_other_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign("replay", "web")
    monkeypatch.setattr(forms, "_secret", b"another")
    assert not check(token, "replay", "web")


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"host": "127.0.0.1:8600", "origin": "http://127.0.0.1:8600", "sec-fetch-site": "same-origin"}, True),
        ({"host": "127.0.0.1:8600", "origin": "http://127.0.0.1:8600"}, True),
        ({"host": "Parcours.intra", "origin": "https://parcours.intra"}, True),  # a proxy ends TLS
        ({"host": "127.0.0.1:8600", "origin": "http://127.0.0.1:8600", "sec-fetch-site": "cross-site"}, False),
        ({"host": "127.0.0.1:8600", "origin": "http://127.0.0.1:8600", "sec-fetch-site": "same-site"}, False),
        ({"host": "127.0.0.1:8600", "origin": "http://127.0.0.1:8601"}, False),
        ({"host": "127.0.0.1:8600", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:8600", "origin": "null"}, False),
        ({"host": "127.0.0.1:8600", "origin": "file://127.0.0.1:8600"}, False),
        ({"host": "127.0.0.1:8600", "origin": "http://[bad"}, False),
        ({"host": "127.0.0.1:8600"}, False),
        ({"host": "", "origin": "http://"}, False),
        ({}, False),
    ],
)
def test_only_our_own_pages_send_forms(headers: dict[str, str], own: bool) -> None:
    assert is_own(headers) is own
