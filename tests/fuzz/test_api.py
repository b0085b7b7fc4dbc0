"""Schemathesis against the running collector: whatever the document allows or forbids, the answers keep to it."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from tests.collect.http.collector import KEY, Collector

from parcours.collect.http.openapi import describe_api

EXAMPLES = 6
SCHEMA = schemathesis.openapi.from_dict(describe_api())
OPERATIONS = {operation.label: operation for operation in (found.ok() for found in SCHEMA.get_all_operations())}
BASIC = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if "/read-back" not in label])
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_answers_keep_to_the_document(label: str, mode: Any, collector: Collector) -> None:
    operation = OPERATIONS[label]
    try:
        strategy = operation.as_strategy(generation_mode=mode)
    except schemathesis.errors.SchemathesisError:
        return

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=strategy)
    def check(case: Any) -> None:
        if case.method == "POST":
            case.headers["Authorization"] = BASIC
        case.call_and_validate(base_url=f"http://127.0.0.1:{collector.port}")

    # Some operations have nothing that could be wrong.
    with suppress(Unsatisfiable):
        check()
