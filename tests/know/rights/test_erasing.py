"""Tests of erasure: nothing of a person is left, everyone else is as before, and what was cut short goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from parcours import flow
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import read_part
from parcours.errors import ParcoursError
from parcours.know import verify
from parcours.know.keys import open_keys
from parcours.know.rights import erasing
from parcours.know.rights.receipts import read_receipt
from parcours.know.rights.retained import RetainedRows
from parcours.know.rights.tombstones import Tombstones
from parcours.know.state import open_state
from parcours.know.vault import Vault
from parcours.progress import Silent
from parcours.settings import Settings

from .conftest import (
    CANARY,
    IDS,
    RETAINING,
    Living,
    Oracle,
    browse,
    deliver,
    event,
    make_company,
    open_company,
    pseudonyms,
    row_keys_of,
    write_orders,
)

MAIL = f"mail:{IDS['mail']}"
STEPS = ("_part", "_tell", "_forget", "_clear", "_prove")


def others(folder: Path) -> list[tuple[Any, ...]]:
    """Return every row of parts that is not the person's."""
    whom = pseudonyms(folder)
    manifest = Manifest(folder)
    rows = [row for part in manifest.parts() for row in read_part(folder, part).to_pylist()]
    manifest.close()
    told = [tuple(row.values()) for row in rows if row["subject"] not in whom]
    return sorted(told, key=repr)


def derived(company: Living, purpose: str) -> dict[str, Any]:
    """Return how much of everybody stands in the derived tables of a purpose."""
    rows = company.know.events_for(purpose)
    return {name: pq.read_table(table.paths[0]).num_rows for name, table in rows.tables.items()}


def test_the_person_is_found_everywhere_before_and_nowhere_after(company: Living) -> None:
    keys = row_keys_of(company.folder)
    before = Oracle(company.folder, keys)
    assert before.count() >= 100
    planted = {"edges", "scored", "identity_acts", "identity_changes", "renamed", "consent", "vault"}
    assert {place.removeprefix("state.db ") for place in before.found} >= {*planted, "personal", "texts", "outbox"}
    receipt = flow.forget(company, MAIL, "cli")
    after = Oracle(company.folder, keys)
    assert after.count() == 0, after.found
    assert (receipt.proof.found, receipt.proof.mentions, receipt.proof.arriving) == ({}, {}, 0)
    assert receipt.proof.cells > 1_000
    assert receipt.identifiers == dict.fromkeys(IDS, 1)
    assert [fault for fault in verify(company.folder, Settings(), Silent()).faults if fault.level == "error"] == []


def test_groups_that_were_published_for_the_day_stand_in_no_one_s_way(company: Living) -> None:
    flow.publish_groups(company)
    daily = [path for path in (company.folder / ".parcours/tables/results").rglob("*") if path.parent.name != "results"]
    assert daily
    assert flow.forget(company, MAIL, "cli").proof.found == {}
    assert all(path.exists() for path in daily)


def test_not_one_byte_of_a_pseudonym_or_canary_is_left_in_any_database(company: Living) -> None:
    flow.forget(company, MAIL, "cli")
    patterns = [number.to_bytes(8, "big") for number in pseudonyms(company.folder)] + [CANARY.encode()]
    for path in (company.folder / ".parcours").glob("*.db*"):
        content = path.read_bytes()
        assert not [pattern for pattern in patterns if pattern in content], path.name


def test_everyone_else_is_as_before(company: Living) -> None:
    flow.collect_live(company)
    before = others(company.folder)
    flow.forget(company, MAIL, "cli")
    assert others(company.folder) == before
    for identifier in ("user:other-1", "user:other-3", "device:other-device-1"):
        assert company.know.timeline(identifier, "improve").count > 0


def test_a_shared_device_stays_nobody_s(company: Living) -> None:
    flow.collect_live(company)
    preview = company.know.rights.preview(MAIL, unmasked=True)
    assert [held.value for held in preview.shared] == ["kiosk-device"]
    before = company.know.timeline("device:kiosk-device", "improve").count
    alone = company.know.timeline("user:other-3", "improve").count
    receipt = flow.forget(company, MAIL, "cli")
    assert receipt.shared_devices == 1
    assert company.know.timeline("device:kiosk-device", "improve").count == before
    assert company.know.timeline("user:other-3", "improve").count == alone
    # With other-1 erased too, the kiosk was seen beside one living person alone, and stays what it is.
    flow.forget(company, "user:other-1", "cli")
    assert company.know.timeline("device:kiosk-device", "improve").count == before
    assert company.know.timeline("user:other-3", "improve").count == alone
    with pytest.raises(ParcoursError) as caught:
        company.know.rights.find("device:kiosk-device")
    assert caught.value.code == "device_shared"


def test_the_dry_run_changes_nothing(company: Living) -> None:
    preview = company.know.rights.preview(MAIL, company.destinations, unmasked=True)
    assert {(held.kind, held.value) for held in preview.identifiers} == set(IDS.items())
    assert preview.events.keys() == {"orders", "web"}
    assert sum(held.events for held in preview.identifiers) == sum(preview.events.values())
    assert preview.recipients == ("crm",)
    assert company.know.timeline(MAIL, "improve").count > 0
    assert not company.know.rights.unfinished()


def test_at_once_nothing_shows_the_person(company: Living) -> None:
    flow.collect_live(company)
    company.know.refresh_profiles("improve")
    customers = derived(company, "improve")["customers"]
    begun = time.monotonic()
    company.know.rights.begin(MAIL, "cli")
    for kind, value in IDS.items():
        assert company.timeline(f"{kind}:{value}").count == 0
        assert company.profile(f"{kind}:{value}").events == 0
        assert not company.know.may(f"{kind}:{value}", "improve")
    assert time.monotonic() - begun < 2
    assert derived(company, "improve")["customers"] == customers - 1
    assert not [one for one in company.verbatims("delivery", limit=99) if CANARY in one.text]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_step_it_goes_on(company: Living, step: str, when: str) -> None:
    keys = row_keys_of(company.folder)
    flow.collect_live(company)
    keys |= row_keys_of(company.folder)
    before = others(company.folder)
    code = (
        "import sys, os; from pathlib import Path; from tests.know.rights import dying; "
        f"dying.erase(Path(sys.argv[1]), {step!r}, {when!r})"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(company.folder)], cwd=Path(__file__).parents[3], check=False
    )
    assert ended.returncode == -9
    again = open_company(company.folder)
    assert [one.erasure_no for one in again.know.rights.unfinished()] == [1]
    assert again.timeline(MAIL).count == 0
    # Whatever comes meanwhile is refused, and the same person again is the same erasure.
    deliver(company.folder, again, *browse(300))
    receipt = flow.forget(again, MAIL, "cli")
    assert receipt.erasure_no == 1
    oracle = Oracle(company.folder, keys)
    assert oracle.count() == 0, oracle.found
    now = others(company.folder)
    assert [row for row in before if row not in now] == []
    assert sum(count for name, count in receipt.gone.items() if name.startswith("events")) >= 19


def test_what_was_erased_does_not_come_back(company: Living) -> None:
    flow.forget(company, MAIL, "cli")
    held = company.know.held
    deliver(company.folder, company, *browse(0), *browse(20), *browse(100))
    write_orders(company.folder)
    with (company.folder / "data" / "orders.csv").open("a") as file:
        file.write(f"O99,2025-01-12T10:00:00Z,{IDS['user']},{IDS['mail']},,yes,5,Lyon,x\n")
    flow.run(company, Silent())
    flow.replay(company)
    oracle = Oracle(company.folder)
    assert company.know.held == held
    # What cannot be read waits in quarantine whoever sent it; nothing else is there.
    assert {place for place, count in oracle.found.items() if count} <= {"aside", "quarantine"}
    oracle.count()
    assert {place for place, count in oracle.found.items() if count} <= {"aside", "quarantine"}


def test_whoever_comes_back_with_a_new_consent_is_let_in_from_then_on(company: Living) -> None:
    flow.forget(company, MAIL, "cli")
    again = event("Segment Consent Preference Updated", {"user": IDS["user"]}, 500)
    again["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 5))
    later = {**event("Called", {"user": IDS["user"]}, 501), "timestamp": again["timestamp"]}
    old = event("Called", {"user": IDS["user"]}, 502)
    deliver(company.folder, company, again, later, old)
    flow.collect_live(company)
    assert company.know.timeline(f"user:{IDS['user']}", "improve").count == 2
    assert company.know.timeline(MAIL, "improve").count == 0
    # And may ask to be erased again.
    receipt = flow.forget(company, f"user:{IDS['user']}", "cli")
    assert receipt.erasure_no == 2
    oracle = Oracle(company.folder)
    assert oracle.count() == 0, oracle.found


def test_old_backups_of_vault_and_journal_are_unreadable(company: Living, tmp_path_factory: Any) -> None:
    place = tmp_path_factory.mktemp("backup")
    shutil.copytree(company.folder / ".parcours", place / ".parcours")
    flow.forget(company, MAIL, "cli")
    for path in place.glob(".parcours/keys.db*"):
        path.unlink()
    for path in (company.folder / ".parcours").glob("keys.db*"):
        shutil.copy(path, place / ".parcours")
    state, keys = open_state(place), open_keys(place, Settings())[0]
    vault = Vault(state, keys)
    assert [vault.read_identifier(number) for number in pseudonyms(place)] == [None] * 4
    assert CANARY not in " ".join(vault.read_all_texts())
    # The raw copies were sealed for this hour: their key goes when it is over, as the receipt says.
    receipt = read_receipt(company.know.rights.receipt(1), keys)
    assert 0 < receipt.backups[2].until_ms - receipt.done_ms <= 3 * 3_600_000
    hour = receipt.done_ms // 3_600_000
    keys.destroy_hour_keys(hour + 2, ())
    assert keys.hour_key(hour) is None


def test_what_the_law_keeps_is_sealed_apart_and_read_by_no_measure(tmp_path: Path) -> None:
    company = make_company(tmp_path, retained=RETAINING)
    receipt = flow.forget(company, MAIL, "cli")
    kept, proofs = receipt.retained
    held = open_state(tmp_path).execute("SELECT count(*), max(until_ms) FROM consent_proofs")
    assert [(proofs.rows, proofs.until_ms)] == held
    assert (proofs.id, proofs.basis, proofs.rows > 0) == ("consent_proof", "legal_claims", True)
    assert (kept.id, kept.basis, kept.rows) == ("invoices", "legal_obligation", 3)
    assert kept.until_ms - receipt.done_ms > 7 * 365 * 86_400_000
    oracle = Oracle(company.folder)
    assert oracle.count() == 0, oracle.found
    state, keys = open_state(tmp_path), open_keys(tmp_path, Settings())[0]
    rows = RetainedRows(state, keys)
    read = rows.read(1)
    assert {row.event["identifier"] for row in read} == {IDS["user"]}
    assert all(row.event["field_amount"] and "field_note" not in row.event for row in read)
    company.know.upkeep.retain(receipt.done_ms + 365 * 86_400_000)
    assert len(rows.read(1)) == 3
    # Upkeep lets them go by itself, and the tombstones too, when their time is over.
    company.know.upkeep.retain(kept.until_ms + 1)
    assert rows.read(1) == []
    stones = Tombstones(state, keys)
    assert stones.count() == 0 or stones.table.all()[0][4] > kept.until_ms
    company.know.upkeep.retain(kept.until_ms + 100 * 365 * 86_400_000)
    assert stones.count() == 0


def test_recipients_are_told_once_and_it_is_known_what_became_of_it(company: Living) -> None:
    from parcours.engine.store.outbox import OutboxTable

    receipt = flow.forget(company, MAIL, "cli")
    assert receipt.recipients == ("crm",)
    rights = company.know.rights
    assert rights.deliveries(receipt) == {"crm": "waiting"}
    manifest = Manifest(company.folder)
    outbox, keys = OutboxTable(manifest.database), open_keys(company.folder, Settings())[0]
    parcels = outbox.take("crm", 100)
    told = [msgspec.json.decode(keys.unseal(one.body)) for _, one in parcels if one.message_id == "erasure-1"]
    assert len(told) == 1
    values = {one["identity_value"] for one in told[0]["subject_identities"]}
    assert values == set(IDS.values())
    # Last in its queue: what others are told of before stays in its order.
    assert parcels[-1][1].message_id == "erasure-1"
    outbox.done("crm", parcels[-1][0])
    assert rights.deliveries(receipt) == {"crm": "delivered"}
    oracle = Oracle(company.folder)
    assert oracle.count() == 0, oracle.found


def test_a_receipt_is_signed_and_an_altered_one_is_refused(company: Living) -> None:
    flow.forget(company, MAIL, "cli")
    rights = company.know.rights
    document = rights.receipt(1)
    assert rights.check_receipt(document).erasure_no == 1
    assert not any(value.encode() in document for value in IDS.values())
    altered = document.replace(b'"erasure_no": 1', b'"erasure_no": 2')
    assert altered != document
    for wrong, code in ((altered, "receipt_altered"), (b"{}", "receipt_unreadable"), (b"\xff", "receipt_unreadable")):
        with pytest.raises(ParcoursError) as caught:
            rights.check_receipt(wrong)
        assert caught.value.code == code


def test_a_receipt_of_another_company_is_refused(company: Living, tmp_path_factory: Any) -> None:
    flow.forget(company, MAIL, "cli")
    other = open_company(tmp_path_factory.mktemp("other"))
    with pytest.raises(ParcoursError) as caught:
        other.know.rights.check_receipt(company.know.rights.receipt(1))
    assert caught.value.code == "receipt_foreign"


def test_two_erasures_at_once(company: Living) -> None:
    flow.collect_live(company)
    failed: list[BaseException] = []

    def erase(identifier: str) -> None:
        try:
            flow.forget(open_company(company.folder), identifier, "cli")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=erase, args=(one,)) for one in (MAIL, "user:other-1", MAIL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = [error.code if isinstance(error, ParcoursError) else repr(error) for error in failed]
    # The same person twice is one erasure; whoever comes after its end finds nobody any more.
    assert codes in ([], ["nobody_found"]), [str(one.faults[0].sentence) for one in failed]
    assert not company.know.rights.unfinished()
    oracle = Oracle(company.folder)
    assert oracle.count() == 0, oracle.found
    assert company.know.timeline("user:other-1", "improve").count == 0
    assert company.know.timeline("user:other-3", "improve").count > 0


def test_a_merge_during_an_erasure_gives_nobody_back(company: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    merging = event("Called", {"user": IDS["user"], "device": "fresh-device", "mail": "fresh@x.fr"}, 700)
    theirs = event("Called", {"mail": "fresh@x.fr"}, 701)
    plain = erasing.Erasing._tell

    def tell(self: erasing.Erasing, one: Any, body: Any) -> None:
        deliver(company.folder, company, merging, theirs)
        flow.collect_live(company)
        plain(self, one, body)

    monkeypatch.setattr(erasing.Erasing, "_tell", tell)
    flow.forget(company, MAIL, "cli")
    oracle = Oracle(company.folder)
    assert oracle.count() == 0, oracle.found
    assert company.know.timeline("mail:fresh@x.fr", "improve").count == 1
    assert company.know.timeline("device:fresh-device", "improve").count == 0


def test_nobody_is_no_erasure(company: Living) -> None:
    for identifier in ("user:nobody-at-all", "undefined"):
        with pytest.raises(ParcoursError) as caught:
            flow.forget(company, identifier, "cli")
        assert caught.value.code == "nobody_found"
    assert not company.know.rights.unfinished()


def test_whoever_came_a_moment_ago_can_be_erased(company: Living) -> None:
    deliver(company.folder, company, event("Called", {"user": "newcomer-1"}, 900))
    receipt = flow.forget(company, "user:newcomer-1", "cli")
    assert receipt.gone["events web"] == 1


def test_a_request_is_answered_by_its_erasure(company: Living) -> None:
    requests = company.know.requests
    number = requests.open("erasure", [MAIL], "cli")
    requests.check_identity(number, "signed in", "cli")
    other = requests.open("access", ["user:other-1"], "cli")
    receipt = flow.forget(company, MAIL, "cli", request_no=number)
    assert receipt.request_no == number
    held = requests.find(number)
    assert (held.state, held.erasure_no) == ("done", receipt.erasure_no)
    assert requests.identifiers_of(number) == ()
    assert requests.identifiers_of(other) == ("user:other-1",)


def test_the_journal_waits_for_nobody_who_erases(company: Living) -> None:
    flow.forget(company, MAIL, "cli")
    manifest = Manifest(company.folder)
    journal = Journal(manifest.database)
    assert journal.last_batch_no() == journal.taken()
    assert os.environ.get("PARCOURS_MASTER_KEY") is None
