"""Tests of the audience space: it counts, refuses names, keeps objections and information, ends, and joins nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.boutique import (
    IMPROVE,
    NOW_MS,
    WEB,
    copy_company,
    count_arrivals,
    count_aside,
    deliver,
    make_company,
    make_event,
    read_events,
    take_over,
    write_time,
)
from tests.cli.conftest import call
from tests.dying import Nursery

from parcours import company as companies
from parcours.blueprint import check_blueprint
from parcours.collect import check_sources
from parcours.company import Company
from parcours.know import verify
from parcours.know.audience.door import KEY, OBJECTIONS, clean_page
from parcours.know.audience.store import AudienceStore
from parcours.progress import Silent

DAY_MS = 86_400_000
PURPOSES = IMPROVE + "  - {id: audience, label: {fr: A, en: A}, basis: legitimate_interest, measures: []}\n"
TOLD = "  purpose: audience\n  page: path\n  information: {fr: Nous comptons les pages., en: We count pages.}\n"
FILE = (
    "source: stats\nfile: a.csv\naudience: true\nkey: [id]\ntime: {column: at}\nids: {device: d}\n"
    "events: [{name: Page Viewed}]\n"
)
STATS = "source: stats\nconnector: http\naudience: true\n"


def write_audience(folder: Path, told: str = TOLD) -> None:
    path = folder / "blueprint.yaml"
    text = path.read_text("utf-8").split("audience:\n  purpose")[0]
    if "id: path" not in text:
        text = text.replace("fields:\n", "fields:\n  - {id: path, kind: category}\n", 1)
    path.write_text(text + "audience:\n" + told, "utf-8")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("audience") / "shop"
    make_company(folder, PURPOSES, sources=(WEB, STATS))
    write_audience(folder)
    return companies.open(folder)


@pytest.fixture
def shop(empty: Company, tmp_path: Path) -> Company:
    return copy_company(empty, tmp_path / "shop")


def view(n: int, device: str, page: str = "/home", days_ago: int = 0, agrees: bool | None = None) -> dict[str, Any]:
    event = make_event(4 * n, None, anonymousId=device, timestamp=write_time(NOW_MS - days_ago * DAY_MS - n))
    event["properties"] = {"path": page}
    if agrees is not None:
        event["context"] = {"consent": {"categoryPreferences": {"audience": agrees}}}
    return event


def look(company: Company, *views: dict[str, Any]) -> None:
    deliver(company, *views, source="stats")
    take_over(company)


def test_views_are_counted_by_page_channel_and_day(shop: Company) -> None:
    look(shop, view(1, "d1"), view(2, "d1", "/cart?user=x@y.fr"), view(3, "d2", days_ago=1), view(4, "d3", "/cart"))
    by_page = {one.group["page"]: (one.views, one.visitors) for one in shop.know.upkeep.audience(["page"])}
    assert by_page == {"/home": (2, 2), "/cart": (2, 2)}
    assert [(one.views, one.visitors) for one in shop.know.upkeep.audience(["day"])] == [(1, 1), (3, 2)]
    (web,) = shop.know.upkeep.audience(["channel", "touchpoint"])
    assert (web.group, web.views) == ({"channel": "web", "touchpoint": "page"}, 4)
    assert count_arrivals(shop.folder)["kept"] == 4
    look(shop, view(1, "d1"))
    assert sum(one.views for one in shop.know.upkeep.audience(["day"])) == 4


def test_what_names_somebody_is_refused(shop: Company) -> None:
    named = view(1, "d1") | {"userId": "C1"}
    mailed = view(2, "d1") | {"traits": {"email": "a@b.fr"}, "context": {"traits": {"email": "a@b.fr"}}}
    look(shop, named, mailed, view(3, "d2"))
    assert sum(one.views for one in shop.know.upkeep.audience(["day"])) == 1
    assert count_aside(shop.folder) == {"audience_identified": 2}


def test_an_objection_counts_from_then_on_and_may_be_taken_back(shop: Company) -> None:
    look(shop, view(1, "d1"), view(2, "d2"))
    look(shop, view(3, "d1", agrees=False), view(4, "d1"), view(5, "d2"))
    assert sum(one.views for one in shop.know.upkeep.audience(["day"])) == 3
    again = companies.open(shop.folder)
    look(again, view(6, "d1"))
    assert sum(one.views for one in again.know.upkeep.audience(["day"])) == 3
    back = view(7, "d1", agrees=True) | {"timestamp": write_time(NOW_MS)}
    look(again, back, view(8, "d1"))
    assert sum(one.views for one in again.know.upkeep.audience(["day"])) == 5


def test_nothing_joins(shop: Company) -> None:
    """The same device and message on both sides: no number, key, file or answer leads from one to the other."""
    device = "device-that-is-on-both-sides"
    deliver(shop, view(1, device) | {"userId": "C1"}, view(2, device), source="web")
    look(shop, view(1, device), view(2, device))
    look(shop, view(3, device, agrees=False))
    assert len(read_events(shop.folder)) == 2
    assert sum(one.views for one in shop.know.upkeep.audience(["day"])) == 2
    assert {row["source"] for row in read_events(shop.folder)} == {"web"}
    ours = {
        value for row in read_events(shop.folder) for value in row.values() if isinstance(value, int) and value > 2**32
    }
    store = AudienceStore(shop.folder / ".parcours")
    theirs = {value for row in store.read().to_pylist() for value in (row["visitor"],)} | set(store.objections())
    for table in ("vault", "edges", "texts"):
        ours |= {
            cell for row in shop.know._state.execute(f"SELECT * FROM {table}") for cell in row if isinstance(cell, int)
        }
    assert len(theirs) == 2
    assert not ours & theirs
    # Its objection says nothing of the customer, whose rows are all there.
    assert shop.know.may(f"device:{device}", "improve")
    assert shop.timeline(f"device:{device}").count == 2
    everything = b"".join(path.read_bytes() for path in (shop.folder / ".parcours").glob("audience*/*")) + b"".join(
        path.read_bytes() for path in (shop.folder / ".parcours").glob("audience.db*")
    )
    assert device.encode() not in everything
    files = [pq.read_table(path) for path in (shop.folder / ".parcours" / "audience").glob("*.parquet")]
    assert all(device not in str(table.to_pylist()) for table in files)


def test_what_waits_is_followed_on_one_side_alone(shop: Company) -> None:
    deliver(shop, view(1, "d1"), source="stats")
    deliver(shop, view(2, "d1"), source="web")
    assert shop.live.catch_up() == 1
    assert shop.timeline("device:d1").count == 1


def test_no_visitor_is_recognised_longer_than_a_period(shop: Company) -> None:
    write_audience(shop.folder, TOLD + "  tracker_days: 1\n  data_days: 3\n")
    company = companies.open(shop.folder)
    look(company, view(1, "d1"), view(2, "d1", days_ago=1), view(3, "d1"), view(4, "d1", days_ago=2))
    today = [one.visitors for one in company.know.upkeep.audience(["day"])]
    assert today == [0, 0, 1]  # Of periods that are over nobody can be told any more.
    assert [name for name in company.know._keys.own_names(KEY) if name != OBJECTIONS] != []
    company.know.upkeep.retain(NOW_MS + 2 * DAY_MS)
    assert company.know._keys.own_names(KEY) == [OBJECTIONS] or OBJECTIONS not in company.know._keys.own_names(KEY)
    assert [one for one in company.know._keys.own_names(KEY) if one != OBJECTIONS] == []


def test_views_end_and_a_receipt_stays(shop: Company) -> None:
    write_audience(shop.folder, TOLD + "  data_days: 3\n")
    company = companies.open(shop.folder)
    look(company, view(1, "d1"), view(2, "d2", days_ago=2), view(3, "d3", days_ago=5))
    (receipt,) = company.know.upkeep.retain()
    assert (receipt.rows, len(receipt.before), len(receipt.after)) == (1, 1, 1)
    assert sum(one.views for one in company.know.upkeep.audience(["day"])) == 2
    assert company.know.upkeep.retain() == ()
    assert company.know.upkeep.receipts() == [receipt]
    assert len(list((company.folder / ".parcours/audience").iterdir())) == 1


def test_what_people_were_told_is_kept_by_version(shop: Company) -> None:
    look(shop, view(1, "d1"))
    write_audience(shop.folder, TOLD.replace("We count pages.", "We count pages; object at /no."))
    companies.open(shop.folder).know.door()
    companies.open(shop.folder).know.door()
    assert [words.en for _, words in shop.know.upkeep.informed()] == [
        "We count pages.",
        "We count pages; object at /no.",
    ]


def test_its_purpose_gives_no_basis_to_anything_else(shop: Company) -> None:
    (shop.folder / "blueprint.yaml").write_text(
        (shop.folder / "blueprint.yaml").read_text("utf-8").replace(IMPROVE.replace("\n", ""), ""), "utf-8"
    )
    company = companies.open(shop.folder)
    deliver(company, make_event(4), source="web")
    take_over(company)
    assert read_events(company.folder) == []
    assert company.know.discarded == 1


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


def test_killed_at_any_step_each_view_counts_once(shop: Company, tmp_path: Path, nursery: Nursery) -> None:
    look(shop, view(50, "d9"))
    deliver(
        shop,
        *(view(n, f"d{n % 3}", f"/{n % 2}", agrees=False if n == 11 else None) for n in range(1, 12)),
        source="stats",
    )
    deliver(shop, *(make_event(n) for n in range(6)), source="web")
    whole = copy_company(shop, tmp_path / "whole")
    steps = nursery.run("take over", whole.folder)["steps"]
    expected = [(one.group, one.views) for one in companies.open(whole.folder).know.upkeep.audience(["day", "page"])]
    for step in range(1, steps + 1, max(1, steps // 14)):
        folder = copy_company(shop, tmp_path / f"step{step}").folder
        assert nursery.run("take over", folder, step=step)["status"] == -9
        company = companies.open(folder)
        take_over(company)
        assert [(one.group, one.views) for one in company.know.upkeep.audience(["day", "page"])] == expected, step
        assert len(read_events(folder)) == 6
        assert [fault for fault in verify(folder, company.settings, Silent()).faults if fault.level == "error"] == []


def test_damage_is_named(shop: Company) -> None:
    look(shop, view(1, "d1"))
    (path,) = (shop.folder / ".parcours" / "audience").iterdir()
    path.write_bytes(path.read_bytes()[:-3] + b"abc")
    codes = {fault.code for fault in verify(shop.folder, shop.settings, Silent()).faults}
    assert "audience_damaged" in codes


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("audience_too_long", "page: path", "page: path\n  tracker_days: 395"),
        ("audience_too_long", "page: path", "page: path\n  data_days: 760"),
        ("audience_page_unknown", "page: path", "page: n"),
        ("unknown_purpose", "purpose: audience", "purpose: other"),
        ("audience_not_apart", "purpose: audience", "purpose: improve"),
    ],
)
def test_the_limits_of_the_exemption_are_checked(shop: Company, code: str, old: str, new: str) -> None:
    assert [fault for fault in check_blueprint(shop.folder)[1] if fault.level == "error"] == []
    write_audience(shop.folder, TOLD.replace(old, new, 1))
    assert code in {fault.code for fault in check_blueprint(shop.folder)[1]}


def test_only_a_declared_http_source_goes_there(shop: Company) -> None:
    blueprint = shop.blueprint
    (shop.folder / "sources/stats.yaml").write_text(FILE, "utf-8")
    assert "audience_not_http" in {one.code for one in check_sources(shop.folder, blueprint, shop.settings, False)}
    import msgspec

    without = msgspec.structs.replace(blueprint, audience=None)
    assert "audience_undeclared" in {one.code for one in check_sources(shop.folder, without, shop.settings, False)}


def test_the_command_counts(shop: Company) -> None:
    look(shop, view(1, "d1"), view(2, "d2", "/cart"))
    told = call("--lang", "en", "audience", shop.folder, "--by", "page").stdout
    assert "/cart  1 views, 1 visitors" in told
    found = json.loads(call("audience", shop.folder, "--by", "day,page", "--json").stdout)
    assert {one["group"]["page"] for one in found} == {"/home", "/cart"}
    assert call("audience", shop.folder, "--by", "age").returncode == 1


def test_a_page_says_nothing_of_anybody() -> None:
    assert clean_page("/account/a.b@c.fr?token=1#x") == "/account/[mail]"
    assert clean_page("/shop/shoes") == "/shop/shoes"
    assert list(itertools.chain(clean_page("?q=me"))) == []
