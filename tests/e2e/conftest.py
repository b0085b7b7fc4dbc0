"""A real Chromium over a real server; without one the browser tests are skipped, and say so loudly."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "workspaces"))

from firm import Firm
from portrayed import PortrayedFirm
from tests.signed_in import browser_cookie

from parcours.know import Role
from parcours.workspaces.app import create_app

CHROMIUM = os.environ.get("PARCOURS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ABSENT = (
    f"BROWSER TESTS SKIPPED: no Chromium at {CHROMIUM}. Install it (apt-get install chromium) or name it in "
    "PARCOURS_CHROMIUM: nothing was checked in a browser."
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    if not Path(CHROMIUM).exists():
        sys.stderr.write(f"\n{'!' * 100}\n{ABSENT}\n{'!' * 100}\n")
        pytest.skip(ABSENT)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


def role_for(place: str) -> Role | None:
    """Return a role that may open the page at ``place``, an address or its end; nobody opens the sign-in page."""
    if place.endswith("sign-in"):
        return None
    if place.endswith(("sources", "people")):
        return "it"
    return "cem" if "customer" in place and "permission" not in place else "cco"


def open_context(
    browser: Browser, address: str, folder: Path, role: Role | None = "cco", **options: Any
) -> BrowserContext:
    """Return a context of the browser that is signed in at ``address`` in ``role``."""
    context = browser.new_context(**options)
    if role is not None:
        context.add_cookies([browser_cookie(address, folder, role)])  # type: ignore[list-item]
    return context


@pytest.fixture(scope="session")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A firm whose customers answered."""
    return PortrayedFirm(tmp_path_factory.mktemp("firm"))


@contextmanager
def serve_pages(company: Any) -> Iterator[str]:
    """Serve the pages of ``company`` on a free port of the loopback; give their address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(company), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def address(firm: Firm) -> Iterator[str]:
    """Where the pages of the firm are served."""
    with serve_pages(firm) as address:
        yield address
