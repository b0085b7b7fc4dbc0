"""A customer in a browser: found and shown by keyboard and without script, at any width, with nothing amiss."""

from __future__ import annotations

from typing import Any

import pytest
from firm import Firm
from playwright.sync_api import Browser, Page
from portrayed import PROFILE
from tests.e2e.conftest import open_context
from tests.e2e.test_pages import check_headings, list_small_targets, list_violations

pytestmark = pytest.mark.browser


def open_customer(browser: Browser, address: str, firm: Firm, language: str, **options: Any) -> Page:
    """Find the customer and give a reason, by keyboard alone."""
    page = open_context(browser, address, firm.folder, "cem", **options).new_page()
    page.goto(f"{address}/{language}/customer")
    page.focus("#kind")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("zoe.martin@maison.fr")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{language}/customer/{PROFILE}")
    page.focus("select[name=reason]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#timeline")
    return page


@pytest.mark.parametrize(("language", "width", "scheme"), [("fr", 1440, "light"), ("en", 320, "dark")])
def test_a_customer_is_shown_with_nothing_amiss(
    browser: Browser, address: str, firm: Firm, language: str, width: int, scheme: Any
) -> None:
    size = {"width": width, "height": 900}
    page = open_customer(browser, address, firm, language, viewport=size, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.url == f"{address}/{language}/customer/{PROFILE}"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert list_violations(page) == []
    assert list_small_targets(page) == []
    check_headings(page)
    assert page.locator("figure table tbody tr").count() == 13
    page.context.close()


def test_a_customer_needs_no_script(browser: Browser, address: str, firm: Firm) -> None:
    page = open_customer(browser, address, firm, "en", java_script_enabled=False)
    assert page.locator("svg.lifeline circle").count() == 8
    assert page.locator("svg.lifeline rect").count() == 5
    page.context.close()
