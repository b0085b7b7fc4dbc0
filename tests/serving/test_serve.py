"""`parcours serve` as its operator sees it: started, asked, stopped."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from tests.boutique import (
    PERSONALISE,
    WEB,
    count_kept,
    count_pending,
    make_company,
    make_event,
)
from tests.served import MODULES, Served, run_parcours, serving

from parcours import company as companies
from parcours.engine.store.lock import find_pages

pytestmark = pytest.mark.slow


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
    assert served.look_at("user:C5")["count"] == 1


def count_reported(company: companies.Company) -> int:
    """Return how many events the latest report counts."""
    return company.report.events if company.report else 0


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


def test_a_second_serve_is_told_who_collects(served: Served, folder: Path) -> None:
    done = run_parcours("serve", str(folder), "--port", "0", "--collect-port", "0")
    assert done.returncode == 1
    assert "[already_serving]" in done.stderr
    assert f"(process {served.process.pid})" in done.stderr  # type: ignore[union-attr]
    assert "http://" not in done.stderr
    assert find_pages(folder) == f"http://127.0.0.1:{served.pages}"
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
        told = served.look_at("user:C1", purpose="personalise")
        assert (told["permitted"], told["count"]) == (True, 1)
        assert served.send(key, make_event(4, "C1", False)) == 200
        told = served.look_at("user:C1", purpose="personalise")
        assert (told["permitted"], told["count"], told["events"]) == (False, 0, [])
