"""`parcours key`: write keys made and shown once, listed by their last letters, revoked by them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.boutique import make_company
from tests.cli.conftest import call, call_json

from parcours import company as companies
from parcours.collect.http.keys import digest_key
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.write_keys import find_senders, note_key_uses
from parcours.engine.store.sqlite import open_database
from parcours.know import Access
from parcours.settings import Settings

FILES = (
    "source: past\nfile: past.csv\nkey: [id]\ntime: {column: at}\nids: {user: client}\nevents: [{name: Page Viewed}]\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    make_company(tmp_path / "shop")
    return tmp_path / "shop"


def senders(folder: Path) -> dict[str, str]:
    sources = tuple(one.source for one in companies.open(folder).sources)
    return {digest: sender.source for digest, sender in find_senders(folder, sources).items()}


def test_a_key_is_shown_once_and_kept_nowhere(shop: Path) -> None:
    done = call("key", shop, "add", "web")
    key = done.stdout.strip()
    assert (done.returncode, len(key)) == (0, 43)
    assert "will not be shown again" in done.stderr
    assert senders(shop) == {digest_key(key): "web"}
    for path in (shop / ".parcours").rglob("*"):
        assert path.is_dir() or key.encode() not in path.read_bytes(), path


def test_keys_are_listed_by_their_last_letters(shop: Path) -> None:
    keys = [call_json("key", shop, "add", source)["write_key"] for source in ("web", "app")]
    assert call("key", shop, "revoke", "web", keys[0][-6:]).stdout.strip() == f"Revoked: …{keys[0][-6:]} of web."
    lines = call("key", shop, "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["app", "web"]
    assert lines[0].endswith("in force")
    assert lines[1].endswith("revoked")
    told = call_json("key", shop, "list")
    assert [(one["source"], one["ending"], one["revoked_ms"] is None) for one in told] == [
        ("app", keys[1][-6:], True),
        ("web", keys[0][-6:], False),
    ]
    assert not any("digest" in one for one in told)
    assert not any(key in json.dumps(told) for key in keys)
    assert senders(shop) == {digest_key(keys[1]): "app"}


def test_two_keys_of_a_source_are_exchanged_without_a_gap(shop: Path) -> None:
    first, second = (call("key", shop, "add", "web").stdout.strip() for _ in range(2))
    assert set(senders(shop)) == {digest_key(first), digest_key(second)}
    assert call("key", shop, "revoke", "web", first[-6:]).returncode == 0
    assert set(senders(shop)) == {digest_key(second)}


def test_a_third_key_is_refused_until_one_is_revoked_or_has_ended(shop: Path) -> None:
    first, _ = (call("key", shop, "add", "web").stdout.strip() for _ in range(2))
    done = call("key", shop, "add", "web")
    assert (done.returncode, done.stdout) == (1, "")
    assert "[two_live_keys]" in done.stderr
    assert "revoke web ENDING" in done.stderr
    assert call("key", shop, "add", "app").returncode == 0
    assert call("key", shop, "revoke", "web", first[-6:]).returncode == 0
    third = call("key", shop, "add", "web").stdout.strip()
    assert len(senders(shop)) == 3
    assert digest_key(third) in senders(shop)


def test_the_terms_of_a_key_reach_those_who_hold_it_to_them(shop: Path) -> None:
    more = ("--origin", "https://shop.example", "--event", "Order Placed", "--per-second", "50", "--days", "30")
    key = call("key", shop, "add", "web", *more).stdout.strip()
    sources = tuple(one.source for one in companies.open(shop).sources)
    sender = find_senders(shop, sources, workers=2)[digest_key(key)]
    assert (sender.key_origins, sender.events) == (("https://shop.example",), ("Order Placed",))
    assert (sender.per_second, sender.names["page"], sender.key) == (25, "Page Viewed", digest_key(key))
    (told,) = call_json("key", shop, "list")
    assert (told["live"], told["per_second"], told["used_ms"]) == (True, 50, None)
    line = call("key", shop, "list").stdout
    assert "never used  in force  (https://shop.example, Order Placed, 50/s, →" in line
    assert "[bad_origin]" in call("key", shop, "add", "web", "--origin", "shop.example/path").stderr


def test_a_key_ends_by_itself(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("key", shop, "add", "web", "--days", "1")
    assert len(senders(shop)) == 1
    later = time.time_ns() + 86_400 * 10**9 + 1
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert senders(shop) == {}
    assert call("key", shop, "list").stdout.split("  ")[4].strip() == "expired"
    for _ in range(2):
        assert call("key", shop, "add", "web").returncode == 0


def test_when_a_key_last_served_is_told(shop: Path) -> None:
    key = call("key", shop, "add", "web").stdout.strip()
    note_key_uses(shop, {digest_key(key): 1_790_000_000_000})
    note_key_uses(shop, {digest_key(key): 1_790_086_400_000})
    assert "used 2026-09-22" in call("key", shop, "list").stdout
    assert call_json("key", shop, "list")[0]["used_ms"] == 1_790_086_400_000


def test_each_change_of_a_key_is_in_the_audit_log(shop: Path) -> None:
    key = call("key", shop, "add", "web").stdout.strip()
    call("key", shop, "revoke", "web", key[-6:])
    entries = Access(shop, Settings()).audit.read(action="manage_keys")
    assert [(one.actor, one.thing_kind, one.reason) for one in entries] == [
        ("cli", "key", "revoked"),
        ("cli", "key", "made"),
    ]


@pytest.mark.parametrize("table", ["write_key_terms", "write_key_uses"])
def test_terms_that_are_gone_let_nobody_in(shop: Path, table: str) -> None:
    key = call("key", shop, "add", "web", "--event", "Order Placed").stdout.strip()
    note_key_uses(shop, {digest_key(key): 5})
    database = open_database(shop / JOURNAL)
    database.execute(f"DELETE FROM {table}")
    database.close()
    assert "[row_damaged]" in call("key", shop, "list").stderr
    assert "[row_damaged]" in call("verify", shop).stderr


def test_no_key_ends_like_an_option(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["x" * 37 + "-abcde", "x" * 37 + "abcdef"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: next(drawn))
    assert call("key", shop, "add", "web").stdout.strip() == "x" * 37 + "abcdef"
    assert call("key", shop, "revoke", "web", "abcdef").returncode == 0


def test_a_key_of_jitsu_has_a_name(shop: Path) -> None:
    (shop / "sources/site.yaml").write_text("source: site\nconnector: http\noptions: {sdk: jitsu}\n", "utf-8")
    name, _, secret = call("key", shop, "add", "site").stdout.strip().partition(":")
    assert (len(name), len(secret)) == (12, 43)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "shop"), 1, "[unknown_source]"),
        (("add", "past"), 1, "[not_an_http_source]"),
        (("revoke", "web", "nobody"), 1, "[unknown_write_key]"),
        (("revoke", "web"), 2, "revoke SOURCE ENDING"),
        (("add",), 2, "add SOURCE"),
        (("show",), 2, "show"),
    ],
)
def test_what_cannot_be_done_is_said(shop: Path, words: tuple[str, ...], code: int, said: str) -> None:
    (shop / "past.csv").write_text("id,at,client\n1,2026-01-01T10:00:00Z,C1\n", "utf-8")
    (shop / "sources/past.yaml").write_text(FILES, "utf-8")
    done = call("key", shop, *words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""


def test_a_source_that_is_gone_lets_nobody_in_and_its_keys_can_be_revoked(shop: Path) -> None:
    key = call("key", shop, "add", "app").stdout.strip()
    (shop / "sources/app.yaml").unlink()
    assert senders(shop) == {}
    assert call("key", shop, "revoke", "app", key[-6:]).returncode == 0


def test_an_altered_key_lets_nobody_in(shop: Path) -> None:
    call("key", shop, "add", "web")
    database = open_database(shop / JOURNAL)
    database.execute("UPDATE write_keys SET source = 'app'")
    database.close()
    assert "[row_damaged]" in call("key", shop, "list").stderr
    assert "[row_damaged]" in call("verify", shop).stderr
