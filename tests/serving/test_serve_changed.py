"""A `parcours serve` under whose hands keys, files and folders change: it follows, or tells and goes on."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from tests.boutique import (
    count_kept,
    count_pending,
    make_event,
    write_blueprint,
)
from tests.served import Served, run_parcours, serving

from parcours.collect.journal.opening import JOURNAL

pytestmark = pytest.mark.slow


def kept(served: Served) -> set[int]:
    return set(count_kept(served.folder))


def tells(served: Served, what: str) -> bool:
    """Return whether the keeper has logged something."""
    return any((line["process"], line["says"]) == ("keeper", what) for line in served.said())


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
    # Whoever has not opened the company yet has nothing that could stay as it was.
    served.wait_for(lambda: kept(served) == {0}, "the keeper to have opened the company")
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
