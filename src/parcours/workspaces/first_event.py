"""How to send a first event to a company: the address of its collection, and what to write, run and paste."""

from __future__ import annotations

import json
import shlex

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.settings import CollectSettings
from parcours.workspaces.readable import Readable

WRITE_KEY = "WRITE_KEY"
_WILD = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


class FirstEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The steps; ``source`` is empty where a source over HTTP is declared already, ``key`` the command for its key."""

    address: str
    source: str
    key: str
    call: str
    browser: str


def show_first_event(company: Readable, declared: str) -> FirstEvent:
    """Return the steps for the source ``declared`` over HTTP, or for one to be written when it is empty."""
    address = find_address(company.settings.collect)
    body = json.dumps({"userId": "1234", "event": find_event(company.blueprint)}, ensure_ascii=False)
    quoted = body.replace("'", "'\\''")
    return FirstEvent(
        address=address,
        source="" if declared else "source: web\nconnector: http\n",
        key=shlex.join(["parcours", "key", company.folder.name or ".", "add", declared or "web"]),
        call=f"curl -u {WRITE_KEY}: -H 'Content-Type: application/json' \\\n  -d '{quoted}' \\\n  {address}/v1/track",
        browser='import { AnalyticsBrowser } from "@segment/analytics-next"\n'
        f'AnalyticsBrowser.load({{ writeKey: "{WRITE_KEY}", cdnURL: "{address}" }})',
    )


def find_address(settings: CollectSettings) -> str:
    """Return where collection is reached: its public address, else the place at which it listens."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = "127.0.0.1" if settings.host in _WILD else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def find_event(blueprint: Blueprint) -> str:
    """Return the name of an event that the blueprint uses, that of a digital touchpoint if there is one."""
    digital = {channel.id for channel in blueprint.channels if channel.kind == "digital"}
    touchpoints = sorted(blueprint.touchpoints, key=lambda touchpoint: touchpoint.channel not in digital)
    names = [match.name for touchpoint in touchpoints for match in touchpoint.events]
    return names[0] if names else "Page Viewed"
