"""Linking at set times: begun when it is due and not before, its end noted, and nobody waits for it."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import call
from tests.cli.test_link import BLUEPRINT, LINK, SOURCE, make_shop
from tests.serving.test_keeper import Kept

from parcours import company as companies
from parcours.know.linking.batch import LINKED
from parcours.serving import linking
from parcours.serving.linking import Linker

DAY_MS = 86_400_000


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path)


def fields_of(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if record.message == message]  # type: ignore[attr-defined]


def wait_for_end(linker: Linker, company: companies.Company) -> None:
    until = time.monotonic() + 60
    while linker._process is not None and time.monotonic() < until:
        time.sleep(0.1)
        linker.look(company)
    assert linker._process is None


def test_a_batch_is_begun_when_it_is_due_and_once(
    shop: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("splink")
    caplog.set_level(logging.INFO)
    (shop / "blueprint.yaml").write_text(BLUEPRINT + LINK + "  every: 1d\n", "utf-8")
    company, linker = companies.open(shop), Linker(shop)
    linker.look(company)
    assert linker._process is None, "nothing is loaded yet"
    assert call("run", shop, "--quiet").returncode == 0
    begun = time.monotonic()
    linker.look(company)
    assert time.monotonic() - begun < 2
    wait_for_end(linker, company)
    (told,) = fields_of(caplog, "linked")
    assert told["found"] > 0
    last = company.know.linkage().last
    assert last is not None
    assert last.found == told["found"]
    # A keeper that starts anew knows when the last one was.
    for one in (linker, Linker(shop)):
        one.look(company)
        assert one._process is None
    later = last.at_ms + DAY_MS
    monkeypatch.setattr(linking.time, "time_ns", lambda: later * 1_000_000)
    linker.look(company)
    assert linker._process is not None
    linker.stop()
    assert linker._process is None


def test_one_that_fails_is_told_and_not_tried_again_at_once(shop: Path, caplog: pytest.LogCaptureFixture) -> None:
    (shop / "blueprint.yaml").write_text(BLUEPRINT + LINK + "  every: 1d\n", "utf-8")
    lines = (shop / "people.csv").read_text("utf-8").splitlines()[:10]
    (shop / "people.csv").write_text("\n".join(lines) + "\n", "utf-8")
    assert call("run", shop, "--quiet").returncode == 0
    company, linker = companies.open(shop), Linker(shop)
    linker.look(company)
    wait_for_end(linker, company)
    (told,) = fields_of(caplog, "nobody was linked")
    assert "too_few_to_link" in told["why"]
    linker.look(company)
    assert linker._process is None
    assert company.know._state.execute("SELECT count(*) FROM scored")[0][0] == 0
    assert LINKED not in [path.name for path in (shop / ".parcours" / "tables").iterdir()]


def test_the_keeper_begins_it_after_a_turn_and_ends_it_when_all_stops(shop: Path) -> None:
    (shop / "blueprint.yaml").write_text(BLUEPRINT + LINK + "  every: 1d\n", "utf-8")
    assert call("run", shop, "--quiet").returncode == 0
    kept = Kept(shop, companies.open(shop))
    kept.turn()
    assert kept.keeper._linker._process is not None
    kept.stopping.set()
    kept.keeper.run()
    assert kept.keeper._linker._process is None


def test_without_an_interval_nothing_is_begun(shop: Path) -> None:
    (shop / "blueprint.yaml").write_text(BLUEPRINT + LINK, "utf-8")
    assert (shop / "sources" / "people.yaml").read_text("utf-8") == SOURCE
    assert call("run", shop, "--quiet").returncode == 0
    linker = Linker(shop)
    linker.look(companies.open(shop))
    assert linker._process is None
