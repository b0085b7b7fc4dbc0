"""Clients in Debian's Chromium, each in a page of one origin that sends to another; `open` makes its page anew."""

from __future__ import annotations

import asyncio
import functools
import http.server
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Request, async_playwright

HERE = Path(__file__).parent
MODULES = Path(os.environ["CLIENTS"]) / "node_modules"
FILES = {
    "/segment/": MODULES / "@segment" / "analytics-next" / "dist" / "umd",
    "/jitsu/": MODULES / "@jitsu" / "js" / "dist",
    "/drivers/": HERE,
}
PAGES = {
    "segment": "<script src=/segment/index.js></script><script src=/drivers/segment_page.js></script>",
    "jitsu": "<script type=module src=/drivers/jitsu_page.js></script>",
}
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


class Shop(http.server.BaseHTTPRequestHandler):
    """The site of the page: the client's own files, and nothing from anywhere else."""

    def do_GET(self) -> None:
        body, kind = self._find()
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body or b"")

    def _find(self) -> tuple[bytes | None, str]:
        path = self.path.partition("?")[0]
        if path.startswith("/product/"):
            scripts = PAGES[Path(path).name]
            return f"<!doctype html><html lang=en><title>Lamp</title>{scripts}<h1>Lamp</h1>".encode(), "text/html"
        for prefix, folder in FILES.items():
            if path.startswith(prefix) and (folder / Path(path).name).is_file():
                return (folder / Path(path).name).read_bytes(), "text/javascript; charset=utf-8"
        return None, "text/plain"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Chromium:
    """Its pages, by name."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser, self.site = browser, site
        self.pages: dict[str, Page] = {}
        self.elsewhere: dict[str, list[str]] = {}

    async def open(self, page: str, client: str, url: str, **how: Any) -> None:
        if page in self.pages:
            await self.pages.pop(page).context.close()
        context = await self.browser.new_context()
        await context.add_init_script(f"globalThis.SKEW_MS = {os.environ.get('SKEW_MS', '0')}")
        await context.add_init_script(path=HERE / "skew.js")
        opened = self.pages[page] = await context.new_page()
        self.elsewhere[page] = []
        opened.on("request", functools.partial(self._look, page, (self.site, url)))
        await opened.goto(f"{self.site}/product/{client}?utm_campaign=spring")
        await opened.wait_for_function("() => window.openClient !== undefined")
        await opened.evaluate("how => window.openClient(how)", {"url": url, **how})

    async def send(self, page: str, calls: list[dict[str, Any]]) -> None:
        await self.pages[page].evaluate("calls => window.sendCalls(calls)", calls)

    async def settle(self, page: str) -> dict[str, Any]:
        told: dict[str, Any] = await self.pages[page].evaluate("() => window.tell()")
        return {**told, "elsewhere": self.elsewhere[page]}

    def _look(self, page: str, allowed: tuple[str, ...], request: Request) -> None:
        """Note what is asked of anybody but the site and the collector."""
        if not request.url.startswith(allowed):
            self.elsewhere[page].append(request.url)


async def main() -> None:
    """Take orders until the input ends."""
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    async with async_playwright() as playwright:
        path = os.environ["CHROMIUM"]
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        # Another name than the collector's: another site, not only another port.
        driver = Chromium(browser, f"http://localhost:{site.server_port}")
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            try:
                told = {"done": await getattr(driver, order.pop("do"))(**order) or {}}
            except Exception as fault:
                told = {"failed": str(fault)}
            print(json.dumps(told), flush=True)
        await browser.close()


asyncio.run(main())
