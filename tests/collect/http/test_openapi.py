"""The OpenAPI document and the routes say the same, both ways, and so do the answers of the running collector."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.collect.http.collector import KEY, Collector, make_event

from parcours.collect.http import answers, app, envelope, intake, openapi, patience, terms
from parcours.collect.http.openapi import CODES, ON_THE_WIRE, describe_api
from parcours.collect.http.routes import ROUTES, SETTINGS, SETTINGS_PATHS, find_route

MORE = {"/health", "/ready", "/openapi.json", "/read-back"}
DOCUMENT = describe_api()


def test_every_route_is_described_and_nothing_else() -> None:
    assert set(DOCUMENT["paths"]) == {*ROUTES, *SETTINGS_PATHS, *MORE}


@pytest.mark.parametrize("path", [*ROUTES, *SETTINGS_PATHS])
def test_every_method_of_a_route_is_described_and_no_other(path: str) -> None:
    route = find_route(path.replace("{writeKey}", "k"))
    assert route is not None
    described = {method.upper() for method in DOCUMENT["paths"][path] if method != "parameters"}
    assert described == set(route.methods)
    assert route is SETTINGS or ROUTES[path] == route


def test_every_code_that_the_source_can_answer_is_described() -> None:
    written = set()
    for module in (answers, app, envelope, intake, patience, terms):
        text = Path(module.__file__).read_text("utf-8")
        calls = re.findall(r'(?:refuse|refuse_and_close|ask_to_wait|write_refusal)\(\s*\d+, "([a-z0-9_]+)"', text)
        written |= {*calls, *re.findall(r'RefusedBodyError\("([a-z_]+)"', text)}
    described = {code for codes in (*CODES.values(), ON_THE_WIRE) for some in codes.values() for code in some}
    assert written - {"not_found"} == described


def test_operation_ids_are_unique_and_references_lead_somewhere() -> None:
    ids = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()
           if isinstance(operation, dict)]  # fmt: skip
    assert len(ids) == len(set(ids))
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT)):
        place = DOCUMENT
        for name in reference.split("/"):
            place = place[name]


def test_the_document_is_served_as_it_is(collector: Collector) -> None:
    assert collector.get("/openapi.json").document == json.loads(json.dumps(DOCUMENT))


def test_statuses_seen_are_statuses_described(collector: Collector) -> None:
    seen = {
        200: collector.post("/v1/track", make_event()),
        400: collector.post("/v1/track", b"no json"),
        401: collector.post("/v1/track", make_event(), key="unknown"),
        405: collector.ask("PUT", "/v1/track", b"{}"),
        415: collector.post("/v1/track", make_event(), {"Content-Encoding": "br"}),
        421: collector.post("/v1/track", make_event(), {"Host": "elsewhere.example"}),
    }
    described = DOCUMENT["paths"]["/v1/track"]["post"]["responses"]
    for status, answer in seen.items():
        assert answer.status == status
        assert str(status) in described
        assert status == 200 or answer.document["code"] in CODES["track"][status]
    assert collector.get("/v1/projects/unknown/settings").document["code"] in CODES["settings"][404]
    assert collector.get(f"/v1/projects/{KEY}/settings").document["integrations"]["Segment.io"]
    assert openapi.SUMMARIES
