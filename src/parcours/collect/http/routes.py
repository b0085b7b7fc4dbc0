"""Every address of the tracking contract: documented, browser, mobile, pixel, RudderStack, Jitsu."""

from __future__ import annotations

from typing import Literal, NamedTuple

from parcours.collect.journal.delivery import BATCH, CALLS

Answers = Literal["track", "discard", "pixel", "settings"]


class Route(NamedTuple):
    """What an address takes: how it is answered, and the kind of the delivery that it makes."""

    answers: Answers
    kind: str
    methods: tuple[str, ...]


_POST = ("POST", "OPTIONS")
_GET = ("GET", "HEAD", "OPTIONS")
MERGE = "merge"
"""RudderStack's call that joins two ids; it names no person, so that it waits in quarantine with its reason."""


def _list_routes() -> dict[str, Route]:
    routes = {}
    for call in CALLS:
        single = Route("track", call, _POST)
        # Segment's documentation; the first letter is what its browser SDK sends; Jitsu's two prefixes.
        for path in (f"/v1/{call}", f"/v1/{call[0]}", f"/api/s/{call}", f"/api/s/s2s/{call}"):
            routes[path] = single
        routes[f"/v1/pixel/{call}"] = Route("pixel", call, _GET)
    batch = Route("track", BATCH, _POST)
    # The last four are what Segment's SDKs ask for when their base address is set with or without the version.
    for path in ("/v1/batch", "/v1/b", "/v1/import", "/batch", "/b", "/v1/batch/b", "/v1/batch/batch"):
        routes[path] = batch
    routes["/v1/merge"] = Route("track", MERGE, _POST)
    routes["/v1/m"] = Route("discard", "", _POST)
    routes["/m"] = routes["/v1/m"]
    return routes


ROUTES = _list_routes()
SETTINGS = Route("settings", "", _GET)
SETTINGS_PATHS = tuple(
    f"{version}{projects}/{{writeKey}}/settings"
    for version in ("/v1", "")
    for projects in ("/projects", "/projects" * 2)
)
"""The addresses of `SETTINGS`: Segment's browser SDK asks for the second where its base address is set too far."""


def find_route(path: str) -> Route | None:
    """Return the route of ``path``, or nothing; one slash too many at the end is forgiven."""
    route = ROUTES.get(path)
    if route is None and path.endswith("/settings") and write_key_of(path):
        return SETTINGS
    if route is None and path.endswith("/"):
        return ROUTES.get(path.rstrip("/"))
    return route


def write_key_of(path: str) -> str:
    """Return the write key in a settings address (``…/projects/KEY/settings``), empty where there is none."""
    pieces = path.strip("/").split("/")
    if pieces and pieces[0] == "v1":
        pieces = pieces[1:]
    if len(pieces) >= 3 and pieces[-1] == "settings" and set(pieces[:-2]) == {"projects"} and len(pieces) <= 4:
        return pieces[-2]
    return ""
