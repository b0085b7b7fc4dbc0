"""Tests of key rotation: everything reads as before, nothing opens with the old key, and a kill changes neither."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.boutique import (
    IMPROVE,
    PERSONALISE,
    WEB,
    copy_company,
    deliver,
    describe,
    make_company,
    make_event,
    take_over,
)
from tests.cli.conftest import call
from tests.dying import Nursery

from parcours import company as companies
from parcours.company import Company
from parcours.engine.store.lock import serving_lock
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError
from parcours.know import verify
from parcours.know.keys import BEFORE, Keys
from parcours.know.rotation import ROTATING
from parcours.progress import Silent

TO = (
    "destination: partner\nconnector: webhook\noptions: {url: 'http://127.0.0.1:9/', secret: '${SECRET}'}\n"
    "purpose: personalise\nevents: [Order Completed]\n"
)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A shop with something under every key: identifiers, texts, quarantine, a queue and a request."""
    folder = tmp_path_factory.mktemp("rotation") / "shop"
    (folder / "destinations").mkdir(parents=True)
    (folder / "destinations/partner.yaml").write_text(TO, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", "whsec_" + "a" * 32)
        company = make_company(folder, IMPROVE + PERSONALISE, sources=(WEB,))
        deliver(company, *(make_event(n, f"C{n}", True) for n in range(12)), make_event(50, properties="no object"))
        take_over(company)
        company.know.requests.open("access", ["user:C1"], "cli")
        yield company


def sealed_with(folder: Path) -> dict[str, bytes]:
    database = open_database(folder / ".parcours" / "keys.db")
    rows = database.execute("SELECT name, wrapped FROM company_keys")
    database.close()
    return {str(name): bytes(wrapped) for name, wrapped in rows}  # type: ignore[arg-type]


def tell(company: Company) -> dict[str, Any]:
    requests = company.know.requests
    return {**describe(company), "requests": [requests.identifiers_of(one.number) for one in requests.list_requests()]}


def find_faults(company: Company) -> list[str]:
    return [str(fault) for fault in verify(company.folder, company.settings, Silent()).faults if fault.level == "error"]


@pytest.mark.parametrize("key", ROTATING)
def test_everything_reads_as_before(shop: Company, tmp_path: Path, key: str) -> None:
    expected = tell(shop)
    assert expected["aside"]
    assert expected["outbox"]
    assert expected["requests"] == [("user:C1",)]
    company = copy_company(shop, tmp_path / "copy")
    before = sealed_with(company.folder)
    done = company.know.rotate(key)
    assert done.count >= 1
    again = companies.open(company.folder)
    assert tell(again) == expected
    assert find_faults(again) == []
    changed = {name for name, wrapped in sealed_with(company.folder).items() if before[name] != wrapped}
    assert changed == ({key} if key != "master" else set(before))
    entry = again.know.audit.read(limit=1)[0]
    assert (entry.action, entry.thing) == ("manage_keys", key)


def test_the_old_master_key_opens_nothing_any_more(shop: Company, tmp_path: Path) -> None:
    company = copy_company(shop, tmp_path / "copy")
    file = company.folder / ".parcours" / "master.key"
    old = base64.b64decode(file.read_text())
    company.know.rotate("master")
    assert base64.b64decode(file.read_text()) != old
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ParcoursError, match="master_key_wrong"):
        Keys(open_database(company.folder / ".parcours" / "keys.db"), old)


def test_a_master_key_of_the_environment_needs_the_next_one(
    shop: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = copy_company(shop, tmp_path / "copy")
    file = company.folder / ".parcours" / "master.key"
    monkeypatch.setenv("PARCOURS_MASTER_KEY", file.read_text().strip())
    file.unlink()
    with pytest.raises(ParcoursError, match="next_master_key_missing"):
        companies.open(company.folder).know.rotate("master")
    coming = base64.b64encode(b"n" * 32).decode()
    monkeypatch.setenv("PARCOURS_NEXT_MASTER_KEY", coming)
    assert companies.open(company.folder).know.rotate("master").place is None
    monkeypatch.setenv("PARCOURS_MASTER_KEY", coming)
    assert tell(companies.open(company.folder))["requests"] == [("user:C1",)]


@pytest.mark.parametrize("key", ["pseudonyms", "checks", "rows", "unknown"])
def test_keys_that_everything_rests_on_are_refused_with_the_reason(shop: Company, key: str) -> None:
    with pytest.raises(ParcoursError, match="key_does_not_rotate"):
        shop.know.rotate(key)


def test_nothing_rotates_while_it_is_served(shop: Company) -> None:
    with serving_lock(shop.folder), pytest.raises(ParcoursError, match="already_serving") as told:
        shop.know.rotate("quarantine")
    # No serve itself, it can open no pages beside the other.
    assert "--no-collect" not in str(told.value.faults[0].remedy)
    assert "Stop it, rotate the key" in told.value.faults[0].remedy.en


@pytest.mark.parametrize("key", ROTATING)
def test_killed_at_any_step_the_company_opens_and_the_rotation_goes_on(
    shop: Company, tmp_path: Path, nursery: Nursery, key: str
) -> None:
    expected = tell(shop)
    whole = copy_company(shop, tmp_path / "whole")
    steps = nursery.run("rotate", whole.folder, key=key)["steps"]
    assert steps > 3
    for step in range(1, steps + 1, max(1, steps // 6)):
        folder = copy_company(shop, tmp_path / f"step{step}").folder
        assert nursery.run("rotate", folder, step=step, key=key)["status"] == -9
        company = companies.open(folder)
        assert tell(company) == expected, step
        assert find_faults(company) == [], step
        company.know.rotate(key)
        assert BEFORE not in sealed_with(folder)
        assert tell(companies.open(folder)) == expected, step


def test_the_command_says_what_it_did(shop: Company, tmp_path: Path) -> None:
    folder = str(copy_company(shop, tmp_path / "copy").folder)
    assert "made anew" in call("--lang", "en", "keys", folder, "rotate", "identifiers").stdout
    assert json.loads(call("keys", folder, "rotate", "quarantine", "--json").stdout)["key"] == "quarantine"
    refused = call("--lang", "en", "keys", folder, "rotate", "pseudonyms")
    assert refused.returncode == 1
    assert "does not rotate" in refused.stderr
