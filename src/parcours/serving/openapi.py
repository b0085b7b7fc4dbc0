"""The OpenAPI document of what programs ask on the pages' port, made from the records that they send and are sent."""

from __future__ import annotations

from typing import Any

import msgspec

from parcours.know import Profile, Timeline
from parcours.serving.one_customer import MOST_BYTES, PROFILE, TIMELINE, Promised, Question, Refusal

PATH = "/openapi-pages.json"
_JSON = "application/json"
_HTML = {"text/html": {"schema": {"type": "string"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
Part = dict[str, Any]

REFUSALS: dict[str, tuple[str, Part]] = {
    "400": ("No question", {}),
    "401": ("No token that holds", {}),
    "403": ("The role may not: this customer, unmasked, without a reason, or at all", _HTML),
    "404": ("Nobody can have this identifier", {}),
    "409": ("The purpose does not cover it, or something kept is damaged", {}),
    "413": (f"More than {MOST_BYTES} bytes", {}),
    "415": ("Not sent as JSON", {}),
    "421": ("Another host name than those that are served", _TEXT),
}
"""What a question about one customer may be refused with, and in which form beside JSON."""


def describe_interfaces() -> Part:
    """Return the document."""
    _, schemas = msgspec.json.schema_components(
        (Question, Timeline, Profile, Promised, Refusal), ref_template="#/components/schemas/{name}"
    )
    schemas["Status"] = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parcours, the pages' port", "version": "1"},
        "paths": {
            "/health": {"get": _get("health", "Whether the process answers", _of("Status"), {})},
            "/ready": {"get": _get("ready", "Whether it follows what comes in", _of("Status"), {"503": _of("Status")})},
            "/metrics": {
                "get": _get("metrics", "Figures for Prometheus", _TEXT, {"401": _of("Refusal"), "403": _HTML})
            },
            TIMELINE: {"post": _ask("timeline", "What one customer lived", "Timeline", "Promised")},
            PROFILE: {"post": _ask("profile", "What is known of one customer at this moment", "Profile")},
        },
        "components": {"schemas": schemas, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _of(*names: str) -> Part:
    told: list[Part] = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    return {_JSON: {"schema": told[0] if len(told) == 1 else {"anyOf": told}}}


def _get(name: str, summary: str, content: Part, others: dict[str, Part]) -> Part:
    answers: Part = {"200": {"description": summary, "content": content}, "421": {"description": "", "content": _TEXT}}
    answers |= {status: {"description": "It is not so", "content": told} for status, told in others.items()}
    secured: Part = {"security": [{"bearer": []}]} if "401" in others else {}
    return {"operationId": name, "summary": summary, "responses": answers} | secured


def _ask(name: str, summary: str, *answers: str) -> Part:
    responses: Part = {"200": {"description": summary, "content": _of(*answers)}}
    for status, (why, beside) in REFUSALS.items():
        responses[status] = {
            "description": why,
            "content": {**(_of("Refusal") if beside is not _TEXT else {}), **beside},
        }
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": _of("Question")},
        "responses": responses,
    }
