"""An erasure reaches the audience space: views of the person's devices go on counting, and are nobody's any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.boutique import WEB, deliver, make_company, make_event, take_over
from tests.know.audience.test_audience import PURPOSES, STATS, look, view, write_audience

from parcours import company as companies
from parcours import flow
from parcours.company import Company
from parcours.know import verify
from parcours.know.audience.door import number_visitors
from parcours.know.audience.store import AudienceStore
from parcours.know.keys import open_keys
from parcours.progress import Silent
from parcours.settings import Settings


@pytest.fixture
def shop(tmp_path: Path) -> Company:
    make_company(tmp_path / "shop", PURPOSES, sources=(WEB, STATS))
    write_audience(tmp_path / "shop")
    company = companies.open(tmp_path / "shop")
    look(company, *(view(n, "device-of-claire") for n in range(3)), view(7, "device-of-others", "/more"))
    look(company, view(20, "device-of-claire", agrees=False), view(21, "device-of-claire"))
    deliver(company, make_event(0, "C1", anonymousId="device-of-claire"), make_event(4, "C2"))
    take_over(company)
    return company


def read_visitors(company: Company) -> list[int | None]:
    store = AudienceStore(company.folder / ".parcours")
    try:
        return [row["visitor"] for row in store.read().to_pylist()]
    finally:
        store.close()


def test_views_stay_and_are_nobody_s(shop: Company) -> None:
    before = read_visitors(shop)
    (mine,) = set(number_visitors(["device-of-claire"], open_keys(shop.folder, Settings())[0])) & {*before}
    assert before.count(mine) == 3
    receipt = flow.forget(shop, "user:C1", "cli")
    assert receipt.gone["visits"] == 3
    after = read_visitors(shop)
    assert sorted(map(str, after)) == sorted(str(None if one == mine else one) for one in before)
    assert receipt.proof.found == {}
    store = AudienceStore(shop.folder / ".parcours")
    assert [objects for _, objects in store.objections().values()] == [True]
    store.close()
    assert [one for one in verify(shop.folder, Settings(), Silent()).faults if one.level == "error"] == []


def test_the_proof_finds_a_visitor_that_is_left(shop: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    from parcours.errors import ParcoursError

    monkeypatch.setattr(AudienceStore, "forget_visitors", lambda *_: 0)
    with pytest.raises(ParcoursError) as caught:
        flow.forget(shop, "user:C1", "cli")
    assert caught.value.code == "erasure_not_proved"
    assert "audience" in caught.value.faults[0].sentence.en


def views(company: Company) -> int:
    return len(read_visitors(company))


def test_a_restriction_and_an_objection_reach_the_audience_space_and_lifting_spares_what_the_person_said(
    shop: Company,
) -> None:
    deliver(shop, make_event(8, "C3", anonymousId="device-of-paul"), make_event(12, "C4", anonymousId="device-of-anne"))
    before = views(shop)
    number = flow.restrict(shop, "user:C3", "cli", "contests that it is accurate")
    look(shop, view(40, "device-of-paul"), view(41, "device-of-anne"))
    assert views(shop) == before + 1
    shop.know.restricting.lift(number, "cli", "told by mail")
    look(shop, view(42, "device-of-paul"))
    assert views(shop) == before + 2
    # Claire had objected herself: to lift a restriction takes nothing of that back.
    shop.know.restricting.lift(flow.restrict(shop, "user:C1", "cli", "contests it"), "cli", "told by mail")
    flow.object_to(shop, "user:C4", "audience", "cli", "on the telephone")
    look(shop, view(43, "device-of-claire"), view(44, "device-of-anne"))
    assert views(shop) == before + 2
