"""The keeper, turn by turn: what it takes over, what it tells, and what does not keep it from going on."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.boutique import (
    NOW_MS,
    count_arrivals,
    count_kept,
    count_pending,
    deliver,
    make_company,
    make_event,
    write_blueprint,
)
from tests.engine.store.test_lock import take_from_outside

from parcours import flow
from parcours.collect import Compacted
from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.serving import keeper
from parcours.serving.keeper import Keeper, Told, wait_for_company
from parcours.words import Words

FILE = "source: past\nfile: past.csv\nkey: [id]\ntime: {column: at}\nids: {user: client}\nfields: {n: n}\n"
HOUR_MS = 3_600_000


class Kept:
    """A keeper of the shop whose turns the test takes."""

    def __init__(self, folder: Path, company: Company) -> None:
        self.folder, self.company = folder, company
        self.stopping = threading.Event()
        self.told: list[Told] = []
        self.keeper = Keeper(folder, folder / "no.sock", self.stopping, self.told.append)

    def turn(self, last: bool = False) -> Told:
        if last:
            self.stopping.set()
        self.keeper._turn(lambda: False)
        return self.told[-1]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(keeper, "LOCK_S", 0.2)
    monkeypatch.setattr(keeper, "RESTING_MS", 0)
    return Kept(tmp_path / "shop", make_company(tmp_path / "shop", settings="[collect]\nevery_s = 0.1\n"))


def codes(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.fields["code"] for record in caplog.records if record.levelno >= level]  # type: ignore[attr-defined]


def test_each_turn_takes_over_and_tells_the_sums(kept: Kept) -> None:
    assert kept.turn() == Told(queues=kept.told[0].queues)
    deliver(kept.company, make_event(0), make_event(0), make_event(1, type="nothing"))
    deliver(kept.company, make_event(4))
    told = kept.turn()
    assert (told.taken_batch_no, told.kept, told.duplicates, told.quarantined, told.fault) == (2, 2, 1, 1, None)
    deliver(kept.company, make_event(8))
    told = kept.turn()
    assert (told.taken_batch_no, told.kept, told.duplicates) == (3, 3, 1)


def test_young_batches_rest_until_everything_stops(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RESTING_MS", 60_000)
    deliver(kept.company, make_event(0), received_ms=NOW_MS - 2 * HOUR_MS)
    deliver(kept.company, make_event(4))
    assert kept.turn().kept == 1
    assert kept.turn(last=True).kept == 2


def test_it_runs_until_it_is_stopped_and_then_takes_over_the_rest(kept: Kept) -> None:
    thread = threading.Thread(target=kept.keeper.run)
    thread.start()
    deliver(kept.company, *(make_event(4 * n) for n in range(30)))
    while len(count_kept(kept.folder)) < 30:
        time.sleep(0.02)
    deliver(kept.company, make_event(1000))
    kept.stopping.set()
    thread.join(30)
    assert not thread.is_alive()
    assert count_pending(kept.folder) == 0
    assert count_arrivals(kept.folder)["kept"] == 31


def test_a_lock_that_somebody_holds_is_told_and_waited_for(kept: Kept) -> None:
    deliver(kept.company, make_event(0))
    handle = take_from_outside(kept.folder, "lock")
    fault = kept.turn().fault
    assert fault
    assert fault.code == "already_running"
    assert "4242" in str(fault.sentence)
    os.close(handle)
    told = kept.turn()
    assert (told.fault, told.kept) == (None, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "blueprint.yaml").write_text("stages: [", "utf-8"),
        lambda folder: (folder / "sources/web.yaml").write_text("source: web\nconnecto: http\n", "utf-8"),
        lambda folder: (folder / "parcours.toml").write_text("[collect]\nevery_s = 'often'\n", "utf-8"),
    ],
    ids=["blueprint", "source", "settings"],
)
def test_with_broken_files_the_old_company_goes_on_until_they_are_mended(
    kept: Kept, spoil: Callable[[Path], object], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    sound = shutil.copytree(kept.folder, tmp_path / "sound", ignore=shutil.ignore_patterns(".parcours"))
    spoil(kept.folder)
    deliver(kept.company, make_event(0))
    told = [kept.turn(), kept.turn()]
    assert [one.kept for one in told] == [1, 1]
    assert all(one.fault for one in told)
    assert len(codes(caplog, logging.ERROR)) == 1
    shutil.copytree(sound, kept.folder, dirs_exist_ok=True)
    deliver(kept.company, make_event(4))
    mended = kept.turn()
    assert (mended.kept, mended.fault) == (2, None)


def test_a_blueprint_that_declares_more_counts_from_the_next_turn(kept: Kept) -> None:
    deliver(kept.company, make_event(0, event="Page Loved"))
    assert kept.turn().quarantined == 1
    write_blueprint(kept.folder, more_events="Page Loved")
    deliver(kept.company, make_event(4, event="Page Loved"))
    told = kept.turn()
    assert (told.kept, told.quarantined) == (1, 1)


def test_what_waits_for_days_is_told_loudly_once_an_hour_and_kept(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(kept.company, make_event(0, timestamp=...), received_ms=NOW_MS - 80 * HOUR_MS)
    monkeypatch.setattr(flow, "collect_live", lambda *_, **__: Compacted())
    for _ in range(2):
        fault = kept.turn().fault
        assert fault
        assert fault.code == "batches_waiting"
        assert "80 hours" in str(fault.sentence)
    assert codes(caplog, logging.CRITICAL) == ["batches_waiting"]
    monkeypatch.undo()
    assert kept.turn().fault is None
    assert set(count_kept(kept.folder)) == {0}


def test_requests_near_their_deadline_are_told_until_they_are_answered_and_once_an_hour_in_the_log(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    requests = kept.company.know.requests
    number = requests.open("access", ["user:C1"], "cli", received_ms=NOW_MS - 29 * 24 * HOUR_MS)
    requests.open("access", ["user:C2"], "cli")
    for _ in range(2):
        told = kept.turn()
        assert [one.code for one in told.due] == ["requests_due"]
        assert told.fault is None
    assert codes(caplog, logging.WARNING).count("requests_due") == 1
    requests.close(number, "done", "cli")
    assert kept.turn().due == ()


def test_what_waits_for_less_is_not_told(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(kept.company, make_event(0, timestamp=...), received_ms=NOW_MS - 71 * HOUR_MS)
    monkeypatch.setattr(flow, "collect_live", lambda *_, **__: Compacted())
    assert kept.turn().fault is None


def test_a_fault_of_a_turn_is_told_and_the_next_turn_tries_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(kept.company, make_event(0))
    parts = kept.folder / ".parcours" / "parts"
    parts.write_bytes(b"")  # Where files cannot be made, as on a full disk.
    fault = kept.turn().fault
    assert fault
    assert fault.code == "turn_failed"
    assert "FileExistsError" in str(fault.sentence)
    assert count_pending(kept.folder) == 1
    parts.unlink()
    told = kept.turn()
    assert (told.fault, told.kept) == (None, 1)
    assert count_arrivals(kept.folder)["kept"] == 1


def test_a_journal_that_cannot_be_looked_at_is_told(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ParcoursError("database_gone", Words(fr="Parti.", en="Gone."), Words(fr="…", en="…"))

    def fail(*_: object) -> None:
        raise gone

    kept.turn()
    monkeypatch.setattr(kept.keeper._journal, "backlog", fail)
    monkeypatch.setattr(kept.keeper._connected, "states", fail)
    fault = kept.turn().fault
    assert fault
    assert fault.code == "database_gone"


def test_in_a_folder_that_is_gone_nothing_is_made_anew(kept: Kept) -> None:
    shutil.rmtree(kept.folder)
    fault = kept.turn().fault
    assert fault
    assert fault.code == "no_such_folder"
    assert not kept.folder.exists()


def test_files_are_loaded_when_their_source_asks(kept: Kept) -> None:
    (kept.folder / "past.csv").write_text("id,at,client,n\n1,2026-01-01T10:00:00Z,C1,77\n", "utf-8")
    (kept.folder / "sources/past.yaml").write_text(FILE + "events: [{name: Page Viewed}]\n", "utf-8")
    assert kept.turn().loaded is None
    kept.keeper._ask_reload("past")
    told = kept.turn()
    assert told.loaded
    assert [source["source"] if isinstance(source, dict) else source.source for source in told.loaded.sources]
    assert set(count_kept(kept.folder)) == {77}
    assert kept.turn().loaded is None


def test_what_is_too_old_in_quarantine_goes_once_an_hour(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(keeper, "expire", lambda *_: called.append(1))
    for _ in range(3):
        kept.turn()
    assert called == [1]


def test_a_company_that_cannot_be_opened_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeper, "AGAIN_S", 0.02)
    company = make_company(tmp_path / "shop")
    blueprint = (company.folder / "blueprint.yaml").read_text("utf-8")
    (company.folder / "blueprint.yaml").write_text("stages: [", "utf-8")
    told: list[Told] = []

    def tell(one: Told) -> None:
        told.append(one)
        if len(told) == 3:
            (company.folder / "blueprint.yaml").write_text(blueprint, "utf-8")

    found = wait_for_company(company.folder, tmp_path / "no.sock", threading.Event(), tell)
    assert isinstance(found, Keeper)
    assert len(told) == 3
    assert all(one.fault for one in told)
    assert len(codes(caplog, logging.ERROR)) == 1


def test_one_that_is_stopped_before_there_was_a_company_ends(tmp_path: Path) -> None:
    stopping = threading.Event()
    found = wait_for_company(tmp_path, tmp_path / "no.sock", stopping, lambda _: stopping.set())
    assert found is None


def test_a_company_with_a_fault_in_a_source_is_not_opened(tmp_path: Path) -> None:
    make_company(tmp_path / "shop", sources=("source: web\nconnector: htp\n",))
    with pytest.raises(ParcoursError):
        keeper.open_whole(tmp_path / "shop")
