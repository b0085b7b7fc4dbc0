"""Schemathesis against the OpenDSR interface: whatever its description allows or forbids, the answers keep to it."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from tests.boutique import make_company

from parcours import company as companies
from parcours.company import Company
from parcours.workspaces.app import create_app
from parcours.workspaces.opendsr import list_opendsr_routes

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "15"))
WAYS = [
    "GET /opendsr/discovery",
    "POST /opendsr/requests",
    "GET /opendsr/requests/{id}",
    "DELETE /opendsr/requests/{id}",
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, dict[str, Any], dict[str, str]]:
    """A company, its operations by label, and the headers of whoever has a key."""
    folder = tmp_path_factory.mktemp("dsr") / "shop"
    make_company(folder)
    company = companies.open(folder)
    with pytest.MonkeyPatch.context() as patience:
        # Wrong keys are among what is tried, again and again.
        patience.setattr("parcours.workspaces.opendsr.WRONG_AT_ONCE", 1_000_000)
        app = create_app(company, more=list_opendsr_routes("shop", lambda: company.know.opendsr))
    told = {"Authorization": f"Bearer {company.know.opendsr.keys.add(())}", "Host": "127.0.0.1"}
    schema = schemathesis.openapi.from_asgi("/opendsr/openapi.json", app, headers=told)
    return company, {one.label: one for one in (found.ok() for found in schema.get_all_operations())}, told


@pytest.mark.parametrize("label", WAYS)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_answers_keep_to_the_description(
    asked: tuple[Company, dict[str, Any], dict[str, str]], label: str, mode: Any
) -> None:
    company, operations, told = asked
    if mode is schemathesis.GenerationMode.NEGATIVE and not label.startswith("POST"):
        return  # Nothing of them could be wrong.

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operations[label].as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.headers.update(told)
        before = len(company.requests())
        answer = case.call_and_validate()
        # What is refused leaves nothing behind.
        assert answer.status_code == 201 or len(company.requests()) == before

    check()
