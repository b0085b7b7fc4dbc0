"""Every address of the contract, and what looks like one."""

from __future__ import annotations

import pytest

from parcours.collect.http.routes import MERGE, ROUTES, SETTINGS, SETTINGS_PATHS, find_route, write_key_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/t", "track"), ("/v1/i", "identify"), ("/v1/p", "page"), ("/v1/s", "screen"), ("/v1/g", "group"),
     ("/v1/a", "alias"), ("/v1/b", "batch"), ("/v1/import", "batch"), ("/batch", "batch"), ("/b", "batch"),
     ("/v1/batch/b", "batch"), ("/v1/merge", MERGE), ("/api/s/page", "page"), ("/v1/pixel/alias", "alias")],
)  # fmt: skip
def test_the_kind_of_an_address(path: str, kind: str) -> None:
    route = find_route(path)
    assert route is not None
    assert route.kind == kind
    assert find_route(path + "/") is route


@pytest.mark.parametrize("path", SETTINGS_PATHS)
def test_settings_are_found_by_their_key(path: str) -> None:
    filled = path.replace("{writeKey}", "k-1")
    assert find_route(filled) is SETTINGS
    assert write_key_of(filled) == "k-1"


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1", "/v1/tt", "/v1/projects/settings", "/v1/projects//settings", "/v1/projects/a/b/settings",
     "/v1/project/k/settings", "/v1/projects/projects/projects/k/settings", "/settings", "/projects/k/setting",
     "/v1/TRACK", "/v1//track", "v1/track", "/v1/track?x", "/api/s", "/v1/pixel", "/v1/pixel/batch"],
)  # fmt: skip
def test_what_is_no_address_of_the_contract(path: str) -> None:
    assert find_route(path) is None


def test_every_address_answers_a_preflight() -> None:
    assert all("OPTIONS" in route.methods for route in [*ROUTES.values(), SETTINGS])
