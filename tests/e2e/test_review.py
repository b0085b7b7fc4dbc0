"""Pairs in a browser: a person settles a refused union by keyboard and without script, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.boutique import deliver, make_company, make_event, take_over
from tests.e2e.conftest import open_context, serve_pages
from tests.e2e.test_pages import check_headings, list_small_targets, list_violations

from parcours.company import Company

pytestmark = pytest.mark.browser
PAIRS = 3


@pytest.fixture
def shop(tmp_path: Path) -> Company:
    """A shop in which three mails were each used with two accounts."""
    company = make_company(tmp_path / "shop")
    mails = [{"email": f"claire{number // 2}@maison.fr"} for number in range(2 * PAIRS)]
    deliver(company, *(make_event(number, f"CLIENT-{number}", True, traits=mail) for number, mail in enumerate(mails)))
    take_over(company)
    assert len(company.review()) == PAIRS
    return company


@pytest.fixture
def served(shop: Company) -> Iterator[str]:
    with serve_pages(shop) as address:
        yield address


def open_review(browser: Browser, address: str, shop: Company, language: str, **options: Any) -> Page:
    page = open_context(browser, address, shop.folder, "dpo", **options).new_page()
    page.goto(f"{address}/{language}/review")
    return page


@pytest.mark.parametrize(
    ("language", "width", "scheme", "before", "after"),
    [
        ("fr", 1440, "light", "3 paires sont peut-être une même personne", "2 paires sont peut-être une même personne"),
        ("en", 320, "dark", "3 pairs may be one person", "2 pairs may be one person"),
    ],
)
def test_two_accounts_are_made_one_by_keyboard_with_nothing_amiss(
    browser: Browser, served: str, shop: Company, language: str, width: int, scheme: Any, before: str, after: str
) -> None:
    size = {"width": width, "height": 900}
    page = open_review(browser, served, shop, language, viewport=size, color_scheme=scheme)
    assert before in page.inner_text("h1")
    assert list_violations(page) == []
    assert list_small_targets(page) == []
    check_headings(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "claire0" not in page.content()
    page.focus("li.row input[name=cause]")
    page.keyboard.type("same birth date, asked by phone")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said")
    assert after in page.inner_text("h1")
    assert list_violations(page) == []
    assert len(shop.review()) == PAIRS - 1
    (one, *_), *others = (shop.know.explain(f"user:CLIENT-{number}") for number in range(2 * PAIRS))
    assert one.profile in {other.profile for (other, *_) in others}
    page.context.close()


def test_two_are_parted_for_good_without_script(browser: Browser, served: str, shop: Company) -> None:
    page = open_review(browser, served, shop, "en", java_script_enabled=False)
    row = page.locator("li.row").first
    row.locator("button[value=not_same]").click()
    assert len(shop.review()) == PAIRS, "without a reason nothing is decided"
    row.locator("input[name=cause]").fill("two sisters")
    row.locator("button[value=not_same]").click()
    assert "2 pairs" in page.inner_text("h1")
    assert page.locator("#said").count() == 1
    assert len(shop.review()) == PAIRS - 1
    profiles = {shop.know.explain(f"user:CLIENT-{number}")[0].profile for number in range(2 * PAIRS)}
    assert len(profiles) == 2 * PAIRS
    (entry,) = [one for one in shop.know.audit.read() if one.action == "settle_merge"]
    assert entry.reason
    page.context.close()
