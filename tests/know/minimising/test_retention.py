"""Tests of retention: what no purpose may keep any longer is gone for good, once, and a receipt says what and when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from tests.boutique import (
    NOW_MS,
    WEB,
    copy_company,
    deliver,
    describe,
    make_company,
    make_event,
    read_events,
    take_over,
    write_time,
)
from tests.dying import Nursery
from tests.know.conftest import Firm, make_blueprint

from parcours import company as companies
from parcours.blueprint.records import Blueprint, Field
from parcours.collect import company_lock
from parcours.company import Company
from parcours.know import verify
from parcours.know.minimising import retention
from parcours.know.minimising.retention import NEVER, Limits
from parcours.know.vault import Vault
from parcours.progress import Silent
from parcours.settings import Settings

DAY_MS = 86_400_000
TODAY_MS = 1_700_000_000_000 // DAY_MS * DAY_MS


def keep(improve: int | None, personalise: int | None, **more: Any) -> Blueprint:
    one, other = make_blueprint().purposes
    one = msgspec.structs.replace(one, retention_days=improve)
    return make_blueprint(purposes=(one, msgspec.structs.replace(other, retention_days=personalise)), **more)


def order(user: str, days_ago: int, agrees: bool | None = None, **more: Any) -> dict[str, Any]:
    at_ms = TODAY_MS - days_ago * DAY_MS
    return {"id_user": user, "name": "Ordered", "occurred_ms": at_ms, "consent_personalise": agrees, **more}


def ages(firm: Firm) -> list[int]:
    paths = [firm.folder / ".parcours" / part.path for part in firm.manifest.parts()]
    times = [at for path in paths for at in pq.read_table(path).column("occurred_ms").to_pylist()]
    return sorted((TODAY_MS - at) // DAY_MS for at in times)


def test_a_row_stays_as_long_as_any_purpose_on_its_stamp_allows(tmp_path: Path) -> None:
    firm = Firm(tmp_path, keep(10, 30))
    firm.admit(*(order(f"u{n}", n, agrees) for n in (9, 10, 11, 29, 30, 31) for agrees in (None,)))
    firm.admit(*(order(f"a{n}", n, True) for n in (9, 10, 11, 29, 30, 31)))
    firm.admit({"name": "Scanned", "occurred_ms": TODAY_MS - 30 * DAY_MS}, {"name": "Scanned", "occurred_ms": 5})
    (receipt,) = firm.know.upkeep.retain(TODAY_MS)
    assert ages(firm) == [9, 9, 10, 10, 11, 29, 30, 30]
    assert receipt.rows == 6
    assert receipt.purposes == {"improve": 4, "improve,personalise": 1, "": 1}
    assert receipt.until_ms == TODAY_MS - 11 * DAY_MS
    assert firm.know.upkeep.retain(TODAY_MS) == ()
    assert firm.know.upkeep.receipts() == [receipt]


def test_a_purpose_without_limit_keeps_all_and_one_that_is_gone_sets_none(tmp_path: Path) -> None:
    firm = Firm(tmp_path, keep(10, None))
    firm.admit(order("u1", 500, True), order("u2", 500))
    firm.know.upkeep.retain(TODAY_MS)
    assert ages(firm) == [500]
    only = msgspec.structs.replace(firm.blueprint, purposes=(keep(10, 1).purposes[0],))
    assert firm.again(msgspec.structs.replace(only)).know.upkeep.retain(TODAY_MS) == ()
    assert Firm(tmp_path, keep(None, None)).know.upkeep.retain(TODAY_MS) == ()


def test_texts_edges_identifiers_and_files_go_with_their_rows(tmp_path: Path) -> None:
    firm = Firm(tmp_path, keep(10, 10))
    said = {"name": "Answered", "field_about": "delivery", "field_score": 3.0}
    firm.admit(order("old", 40, field_comment="gone", id_device="d1", **said))
    firm.admit(order("both", 40, field_comment="gone too", **said), order("both", 1, field_comment="stays", **said))
    firm.admit(order("chose", 40, False))
    before = {part.path: part.sha256 for part in firm.manifest.parts()}
    (receipt,) = firm.know.upkeep.retain(TODAY_MS)
    assert (receipt.rows, receipt.texts, receipt.identifiers) == (3, 2, 2)
    vault = Vault(firm.know._state, firm.know._keys)
    refs = [int(ref or 0) for (ref,) in firm.know._state.execute("SELECT ref FROM texts")]
    assert [text for _, text in vault.read_texts(refs).values()] == ["stays"]
    names = {vault.read_identifier(code) for code in vault.first_seen()[0].tolist()}
    # Who chose something stays known by it.
    assert names == {"both", "chose"}
    assert receipt.before.items() <= before.items()
    assert receipt.after == {part.path: part.sha256 for part in firm.manifest.parts() if part.path in receipt.after}
    assert not [path for path in receipt.before if (firm.folder / ".parcours" / path).exists()]
    assert [fault for fault in verify(firm.folder, Settings(), Silent()).faults if fault.level == "error"] == []
    # Whoever comes back is kept again.
    firm.door = firm.know.door()
    firm.admit(order("old", 0))
    assert "old" in {
        vault.read_identifier(code) for code in Vault(firm.know._state, firm.know._keys).first_seen()[0].tolist()
    }


def test_values_of_a_field_go_before_their_events(tmp_path: Path) -> None:
    fields = (Field(id="delay_h", kind="number", retention_days=5), Field(id="comment", kind="text", retention_days=5))
    firm = Firm(tmp_path, keep(100, 100, fields=fields))
    firm.admit(*({**order("u1", n), "field_delay_h": 1.0, "field_comment": f"text {n}"} for n in (4, 5, 6)))
    (receipt,) = firm.know.upkeep.retain(TODAY_MS)
    assert (receipt.rows, receipt.field_values, receipt.texts) == (0, 2, 1)
    (part,) = firm.manifest.parts()
    rows = pq.read_table(firm.folder / ".parcours" / part.path).to_pylist()
    assert [(row["field_delay_h"], row["text_comment"] is None) for row in rows] == [
        (1.0, False),
        (1.0, False),
        (None, True),
    ]
    assert firm.know._state.execute("SELECT count(*) FROM texts") == [(2,)]
    assert firm.know.upkeep.retain(TODAY_MS) == ()


def test_only_parts_in_which_something_is_over_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    firm = Firm(tmp_path, keep(10, 30))
    for user in range(12):
        firm.admit(order(f"u{user}", 20 if user == 3 else user % 9, True))
    read: list[str] = []
    real = retention.read_part

    def listen(folder: Path, part: Any, columns: Any = None) -> Any:
        if columns is None:
            read.append(part.path)
        return real(folder, part, columns)

    monkeypatch.setattr(retention, "read_part", listen)
    assert firm.know.upkeep.retain(TODAY_MS) == ()
    assert len(read) == 1  # Ten days are over for one of the purposes on it; for the other they are not.
    assert firm.know.upkeep.retain(TODAY_MS) == ()
    assert len(read) == 1
    (receipt,) = firm.know.upkeep.retain(TODAY_MS + 11 * DAY_MS)
    assert receipt.rows == 1
    # Another limit is another question.
    stricter = firm.again(keep(10, 15))
    assert stricter.know.upkeep.retain(TODAY_MS + 11 * DAY_MS)[0].rows == 4


def test_limits_by_row() -> None:
    import numpy as np

    limits = Limits({0: 10, 2: 30}, 30, {})
    stamps = np.array([1, 4, 5, 2, 3, 0, 1])
    nobody = np.array([False] * 6 + [True])
    assert limits.of(stamps, nobody).tolist() == [10, 30, 30, NEVER, NEVER, NEVER, 30]


PURPOSES = (
    "  - {id: improve, label: {fr: A, en: A}, basis: legitimate_interest, measures: [all], retention_days: 10}\n"
    "  - {id: personalise, label: {fr: P, en: P}, basis: consent, measures: [timeline], retention_days: 30}\n"
)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A shop with events of the last forty days, a third of them with consent."""
    company = make_company(tmp_path_factory.mktemp("retention") / "shop", PURPOSES, sources=(WEB,))
    draw = random.Random(2)
    for start in range(0, 60, 20):
        deliver(
            company,
            *(
                make_event(
                    n, f"C{n % 11}", n % 3 == 0, timestamp=write_time(NOW_MS - draw.randrange(40) * DAY_MS - 1000 * n)
                )
                for n in range(start, start + 20)
            ),
        )
        take_over(company)
    return company


def test_killed_at_any_step_it_ends_as_if_it_had_not_been(shop: Company, tmp_path: Path, nursery: Nursery) -> None:
    whole = copy_company(shop, tmp_path / "whole").folder
    steps = nursery.run("retain", whole)["steps"]
    due = companies.open(whole)
    expected, receipts = describe(due), due.know.upkeep.receipts()
    assert 5 < sum(one.rows for one in receipts) < 60
    for step in range(1, steps + 1, max(1, steps // 12)):
        folder = copy_company(shop, tmp_path / f"step{step}").folder
        assert nursery.run("retain", folder, step=step)["status"] == -9
        company = companies.open(folder)
        with company_lock(folder):
            company.know.upkeep.retain()
        assert describe(company) == expected
        assert [(one.rows, one.texts) for one in company.know.upkeep.receipts()] == [
            (one.rows, one.texts) for one in receipts
        ]
        assert [fault for fault in verify(folder, company.settings, Silent()).faults if fault.level == "error"] == []


def test_run_and_serve_do_it_by_themselves(shop: Company, tmp_path: Path) -> None:
    from parcours import flow

    company = copy_company(shop, tmp_path / "run")
    flow.run(company, Silent())
    oldest = min(row["occurred_ms"] for row in read_events(company.folder))
    assert oldest >= (NOW_MS // DAY_MS - 30) * DAY_MS
    assert len(company.know.upkeep.receipts()) == 1
