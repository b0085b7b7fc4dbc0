"""Secrets: named, never written, filled at the last moment, struck out of every message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.collect.connectors.conftest import where_of

from parcours.collect.connectors.secrets import Secrets, check_secrets
from parcours.errors import ParcoursError


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+pg8000://reader:hunter2@db/shop",
        "postgresql://reader:hun/ter@db/shop",
        "postgresql://reader:${PW}x@db/shop",
        "postgresql://reader:${PW@db/shop",
        "mysql://:hunter2@db",
        "https://user:hunter2@example.com/hook",
        "https://example.com/hook?token=hunter2",
        "https://example.com/hook?x=1&API_KEY=hunter2",
        "postgresql://db/shop?user=x&password=hunter2",
        "hunter2",
        "whsec_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "${PW}hunter2",
        "",
    ],
)
def test_a_secret_in_the_clear_is_a_fault_that_does_not_repeat_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "x")
    where = where_of(f"a: 1\nurl: {text!r}\n", "in")
    (fault,) = check_secrets(where.node.data, ("url",), where)
    assert (fault.code, fault.line, fault.level) == ("secret_in_clear", 2, "error")
    assert "hun" not in str(fault)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+pg8000://reader:${PW}@db/shop",
        "postgresql://reader@db/shop",
        "postgresql://db:5432/shop",
        "sqlite:////data/shop.db",
        "https://example.com/a:b@c?to=x@y.fr",
        "https://example.com/hook?token=${PW}",
        "https://example.com/hook?passenger=7",
        "${PW}",
    ],
)
def test_what_holds_no_secret_is_no_fault(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "x")
    where = where_of(f"url: {text!r}", "in")
    assert check_secrets(where.node.data, ("url", "not.there"), where) == []


def test_a_variable_that_is_not_set_is_a_warning_to_check_and_an_error_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PW", raising=False)
    where = where_of("security:\n  password: ${PW}\n", "in")
    (fault,) = check_secrets(where.node.data, ("security.password",), where)
    assert (fault.code, fault.level, fault.line) == ("secret_not_set", "warning", 2)
    with pytest.raises(ParcoursError) as told:
        Secrets().fill("${PW}")
    assert told.value.code == "secret_not_set"
    monkeypatch.setenv("PW", "")
    with pytest.raises(ParcoursError):
        Secrets().fill("${PW}")


def test_a_secret_inside_a_url_is_escaped_and_a_whole_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "p@ss/w:rd")
    monkeypatch.setenv("URL", "postgresql://u:p%40ss@db")
    secrets = Secrets()
    assert secrets.fill("postgresql://u:${PW}@db") == "postgresql://u:p%40ss%2Fw%3Ard@db"
    assert secrets.fill("${PW}") == "p@ss/w:rd"
    assert secrets.fill("${URL}") == "postgresql://u:p%40ss@db"
    assert secrets.fill("plain") == "plain"


def test_every_form_of_a_secret_is_struck_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "p@ss/w:rd")
    monkeypatch.setenv("URL", "postgresql://u:t%40psecret@db")
    secrets = Secrets()
    secrets.fill("x://u:${PW}@h")
    secrets.fill("${URL}")
    for text in ("p@ss/w:rd", "p%40ss%2Fw%3Ard", "t%40psecret", "t@psecret", "postgresql://u:t%40psecret@db"):
        hidden = secrets.hide(f"refused for {text}!")
        assert text not in hidden
        assert hidden.startswith("refused for ${")
    assert repr(secrets) == "Secrets(PW, URL)"


@given(st.text(min_size=3, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_message_shows_a_secret(secret: str, before: str, after: str) -> None:
    if "\x00" in secret or secret in "${PW}" or not secret.isprintable():
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PW", secret)
        secrets = Secrets()
        secrets.fill("${PW}")
        hidden = secrets.hide(before + secret + after)
        assert secret not in hidden.replace("${PW}", "\x00")
