"""Schemathesis against the pages' port: whatever its document allows or forbids, the answers keep to it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from tests.fuzz.entrances import open_house

from parcours.serving.interfaces import list_interfaces
from parcours.serving.openapi import PATH, describe_interfaces

EXAMPLES = 25
LABELS = [f"{method.upper()} {path}" for path, told in describe_interfaces()["paths"].items() for method in told]


def tell() -> dict[str, str]:
    """Return the headers of a program that may ask."""
    return {"Authorization": open_house().token.decode(), "Host": "127.0.0.1"}


@cache
def find_operations() -> dict[str, Any]:
    """Return every operation of the document as the pages serve it, by label."""
    schema = schemathesis.openapi.from_asgi(PATH, open_house().app, headers=tell())
    return {operation.label: operation for operation in (found.ok() for found in schema.get_all_operations())}


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_answers_keep_to_the_document(label: str, mode: Any) -> None:
    operation = find_operations()[label]
    if mode is schemathesis.GenerationMode.NEGATIVE and not label.startswith("POST"):
        return  # Nothing of them could be wrong.

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.headers.update(tell())
        case.call_and_validate()

    check()


def test_every_interface_is_described_and_nothing_else() -> None:
    routes = {route.path for route in list_interfaces(lambda: open_house().company, lambda: True, lambda: b"", None)}
    assert set(describe_interfaces()["paths"]) == routes - {PATH}
