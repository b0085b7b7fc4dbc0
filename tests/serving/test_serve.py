"""`parcours serve` as its operator sees it: started, killed in parts, spoiled under its hands, stopped."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boutique import (
    PERSONALISE,
    WEB,
    count_kept,
    count_pending,
    make_company,
    make_event,
    write_blueprint,
)
from tests.served import MODULES, Served, run_parcours, serving

from parcours import company as companies
from parcours.collect.journal.opening import JOURNAL
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import open_database

FAST = "[collect]\nevery_s = 0.3\n"
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the shop, compacted three times a second."""
    make_company(tmp_path / "shop", settings=FAST)
    return tmp_path / "shop"


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    """The shop, served."""
    with serving(folder) as one:
        yield one


def kept(served: Served) -> set[int]:
    return set(count_kept(served.folder))


def test_what_is_acknowledged_stands_in_parts_pages_and_measures(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(4)) == 200, "the key to be known")
    assert served.send(key, *(make_event(4 * n, f"C{n}") for n in range(2, 30))) == 200
    served.wait_for(lambda: len(kept(served)) == 29, "events in parts")
    company = companies.open(served.folder, follow=True)
    served.wait_for(lambda: count_reported(company) == 29, "the report")
    assert company.rows_for("experience").customers == 29
    assert "<svg" in served.page("/en/map")
    assert json.loads(served.page("/api/timeline?id=user:C5", "dpo"))["count"] == 1


def count_reported(company: companies.Company) -> int:
    """Return how many events the latest report counts."""
    return company.report.events if company.report else 0


def tells(served: Served, what: str) -> bool:
    """Return whether the keeper has logged something."""
    return any((line["process"], line["says"]) == ("keeper", what) for line in served.said())


@pytest.mark.parametrize("name", MODULES)
def test_a_process_that_is_killed_is_started_again_and_nothing_is_lost(served: Served, name: str) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    sent = {0}
    for n in range(1, 40):
        if n % 13 == 0:
            served.wait_restarted(name, served.kill(name))
            served.wait_for(lambda: served.get("/ready")[0] == 200, "ready")
        if served.send(key, make_event(4 * n)) == 200:
            sent.add(4 * n)
    assert len(sent) > 30
    served.wait_for(lambda: kept(served) >= sent, "everything in parts")
    assert set(count_kept(served.folder).values()) == {1}
    assert f"{name} ended with -9" in served.logs().replace("parcours.serving.", "")
    metrics = served.page("/metrics", "it")
    assert f'parcours_process_restarts_total{{process="{name}"}} 3.0' in metrics


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_everything_put_away(served: Served, sign: int) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    for n in range(1, 60):
        assert served.send(key, make_event(4 * n)) == 200
    children = served.children()
    assert set(children) == set(MODULES)
    assert served.stop(sign) == 0
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]
    assert kept(served) == {4 * n for n in range(60)}
    assert count_pending(served.folder) == 0
    assert "Traceback" not in served.logs()
    # What is left is whole, and can be served again at once.
    assert run_parcours("verify", str(served.folder), "--quiet").returncode == 0
    served.start()
    served.wait_for(lambda: served.send(key, make_event(999_996)) == 200, "the key after a restart")


def test_killed_as_a_whole_it_loses_nothing(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    children = served.children()
    for n in range(1, 30):
        assert served.send(key, make_event(4 * n)) == 200
    assert served.process
    served.process.kill()
    served.process.wait()
    until = time.monotonic() + 40
    # Whoever has lost its parent ends by itself.
    while any(Path(f"/proc/{pid}").exists() for pid in children.values()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]
    served.start()
    served.wait_for(lambda: kept(served) == {4 * n for n in range(30)}, "everything in parts")


def test_a_second_serve_is_told_who_collects(served: Served, folder: Path) -> None:
    done = run_parcours("serve", str(folder), "--port", "0", "--collect-port", "0")
    assert done.returncode == 1
    assert "[already_serving]" in done.stderr
    assert f"(process {served.process.pid})" in done.stderr  # type: ignore[union-attr]
    assert "http://" not in done.stderr
    pages = Served(folder, "--no-collect")
    try:
        pages.start(ready=False)
        pages.wait_for(lambda: "<svg" in pages.page("/en/map"), "pages alone")
    finally:
        pages.close()


def test_a_taken_port_is_said(served: Served, tmp_path: Path) -> None:
    make_company(tmp_path / "other")
    for option, port in (("--collect-port", served.port), ("--port", served.pages)):
        done = run_parcours("serve", str(tmp_path / "other"), "--port", "0", "--collect-port", "0", option, str(port))
        assert (done.returncode, "[address_taken]" in done.stderr) == (1, True), done.stderr
        assert "http://" not in done.stderr
    # Nothing of it stays behind.
    assert run_parcours("verify", str(tmp_path / "other"), "--quiet").returncode == 0


def test_write_keys_count_within_seconds(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key", 5)
    other = served.make_key("app")
    served.wait_for(lambda: served.send(other, make_event(4)) == 200, "the other key", 5)
    listed = json.loads(run_parcours("key", str(served.folder), "list", "--json").stdout)
    assert [one["source"] for one in listed] == ["app", "web"]
    assert run_parcours("key", str(served.folder), "revoke", "web", key[-6:]).returncode == 0
    served.wait_for(lambda: served.send(key, make_event(8)) == 401, "the key to be unknown", 5)
    assert served.send(other, make_event(12)) == 200


def test_a_blueprint_that_is_edited_counts_from_then_on(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0, event="Catalogue Opened")) == 200, "the key")
    served.wait_for(lambda: "Catalogue Opened" in served.page("/en/sources", "it"), "quarantine on the page")
    write_blueprint(served.folder, more_events="Catalogue Opened")
    served.wait_for(
        lambda: (
            served.send(key, make_event(int(time.time()) % 10**6 * 4, event="Catalogue Opened")) == 200
            and len(kept(served)) > 0
        ),
        "the new event",
    )
    done = run_parcours("replay", str(served.folder), "--json")
    told = json.loads(done.stdout)
    assert told["put_back"] == told["kept"] >= 1
    served.wait_for(lambda: 0 in kept(served), "what was replayed")


@pytest.mark.parametrize("broken", ["blueprint.yaml", "sources/app.yaml", "parcours.toml"])
def test_what_is_broken_while_it_serves_is_told_and_the_old_goes_on(served: Served, broken: str) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    path = served.folder / broken
    good = path.read_text("utf-8")
    path.write_text(good + "\n  nonsense: [\n", "utf-8")
    served.wait_for(lambda: tells(served, "the company stays as it was"), "the fault in the log")
    for n in range(1, 10):
        assert served.send(key, make_event(4 * n)) == 200
    served.wait_for(lambda: kept(served) == {4 * n for n in range(10)}, "events go on")
    served.wait_for(
        lambda: "What is in the way at this moment" in served.page("/en/sources", "it"), "the fault on the page"
    )
    if broken != "sources/app.yaml":
        assert "version before" in served.page("/en/map")
    # Also after a restart of the keeper, as soon as it is mended.
    before = served.kill("keeper")
    served.wait_restarted("keeper", before)
    served.wait_for(lambda: tells(served, "the company cannot be opened"), "the fault again")
    assert served.send(key, make_event(400)) == 200
    path.write_text(good, "utf-8")
    served.wait_for(lambda: 400 in kept(served), "mended")
    served.wait_for(lambda: "What is in the way at this moment" not in served.page("/en/sources", "it"), "nothing told")
    assert served.get("/ready")[0] == 200


def test_run_and_timeline_work_beside_it(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0, "C77")) == 200, "the key")
    done = run_parcours("run", str(served.folder), "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] == 1
    for n in range(1, 4):
        assert served.send(key, make_event(4 * n, "C77")) == 200
        done = run_parcours("timeline", str(served.folder), "user:C77", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["count"] == n + 1
    assert run_parcours("show", str(served.folder), "experience", "--json").returncode == 0
    served.wait_for(lambda: len(kept(served)) == 4, "the keeper goes on after another wrote")
    assert set(count_kept(served.folder).values()) == {1}


@pytest.mark.parametrize("gone", ["folder", "data"])
def test_a_folder_that_is_deleted_ends_it_and_nothing_more_is_acknowledged(served: Served, gone: str) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    place = served.folder if gone == "folder" else served.folder / ".parcours"
    moved = place.with_name("moved-away")
    place.rename(moved)
    statuses = []
    for n in range(1, 200):
        try:
            statuses.append(served.send(key, make_event(4 * n)))
        except OSError:
            break
        time.sleep(0.01)
    assert 200 not in statuses
    assert served.process
    assert served.process.wait(60) == 1
    assert "[database_gone]" in served.logs()
    # A turn that was under way may have left something there, but no event.
    assert not (served.folder / JOURNAL).exists() or count_pending(served.folder) == 0
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(moved, place)
    served.start()
    served.wait_for(lambda: served.send(key, make_event(4000)) == 200, "served again")
    served.wait_for(lambda: kept(served) == {0, 4000}, "all of it")


def test_a_disk_that_is_full_for_parts_is_told_and_costs_nothing(folder: Path) -> None:
    with serving(folder) as served:
        key = served.make_key()
        served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
        served.wait_for(lambda: kept(served) == {0}, "the first")
        parts = folder / ".parcours" / "parts"
        # Where files cannot be made, as on a full disk.
        parts.rename(parts.with_name("parts-before"))
        parts.write_bytes(b"")
        for n in range(1, 20):
            assert served.send(key, make_event(4 * n, f"C{n}", anonymousId=f"D{n}")) == 200
        served.wait_for(lambda: "keeper" in served.children() and count_pending(folder) > 0, "waiting")
        time.sleep(1.5)
        assert served.get("/ready")[0] == 200
        assert count_pending(folder) > 0
        parts.unlink()
        parts.with_name("parts-before").rename(parts)
        served.wait_for(lambda: kept(served) == {4 * n for n in range(20)}, "everything after that")
        assert served.stop() == 0
    assert set(count_kept(folder).values()) == {1}
    assert run_parcours("verify", str(folder), "--quiet").returncode == 0


def test_measures_follow_within_a_minute_and_followers_derive_nothing(served: Served) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, make_event(0)) == 200, "the key")
    tables = served.folder / ".parcours" / "tables"
    follower = companies.open(served.folder, follow=True)
    for n in range(1, 6):
        assert served.send(key, make_event(4 * n, f"C{n}")) == 200
        served.wait_for(lambda: count_reported(follower) == n + 1, "the report", 60)  # noqa: B023
        before = {path: path.stat().st_mtime_ns for path in tables.glob("*/current")}
        assert follower.rows_for("experience").customers >= n
        for page in ("map", "journey"):
            served.page(f"/en/{page}")
        served.page("/en/sources", "it")
        assert {path: path.stat().st_mtime_ns for path in tables.glob("*/current")} == before


def test_a_withdrawal_in_the_journal_counts_at_the_next_question(tmp_path: Path) -> None:
    make_company(tmp_path / "shop", PERSONALISE, settings="[collect]\nevery_s = 3600\n", sources=(WEB,))
    with serving(tmp_path / "shop") as served:
        key = served.make_key()
        served.wait_for(lambda: served.send(key, make_event(0, "C1", True)) == 200, "the key")
        asked = "/api/timeline?id=user:C1&purpose=personalise"
        told = json.loads(served.page(asked, "dpo"))
        assert (told["permitted"], told["count"]) == (True, 1)
        assert served.send(key, make_event(4, "C1", False)) == 200
        told = json.loads(served.page(asked, "dpo"))
        assert (told["permitted"], told["count"], told["events"]) == (False, 0, [])


def test_the_manifest_is_whole_after_all_of_that(served: Served) -> None:
    assert Manifest(served.folder).parts() == ()
    assert open_database(served.folder / JOURNAL).execute("PRAGMA integrity_check") == [("ok",)]
