"""The OpenAPI description of the OpenDSR interface."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from parcours import __version__
from parcours.know import DSR_IDENTITIES, DSR_KINDS

_ERROR = {"$ref": "#/components/schemas/Error"}
_STATUS = {"$ref": "#/components/schemas/Status"}


@cache
def describe() -> bytes:
    """Return the description, as JSON."""
    told = {
        "openapi": "3.1.0",
        "info": {"title": "Parcours: OpenDSR", "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": {
            "/opendsr/discovery": {"get": _operation("discover", "What is understood here", {"200": {}})},
            "/opendsr/openapi.json": {"get": _operation("describe", "This description", {"200": {}})},
            "/opendsr/requests": {"post": _post()},
            "/opendsr/requests/{id}": {"parameters": [_ID], "get": _get(), "delete": _delete()},
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}, "schemas": _schemas()},
    }
    return msgspec.json.encode(told)


_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The subject_request_id.",
    "schema": {"type": "string"},
}


def _operation(name: str, summary: str, answers: dict[str, Any]) -> dict[str, Any]:
    refused = {"401": _ERROR, "404": _ERROR, "429": _ERROR}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {status: _answer(schema) for status, schema in {**answers, **refused}.items()},
    }


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "JSON, signed in X-OpenDSR-Signature", "content": {"application/json": {"schema": schema}}}


def _post() -> dict[str, Any]:
    answers = {"201": {"type": "object"}, "400": _ERROR, "403": _ERROR, "409": _ERROR, "413": _ERROR}
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}}}
    return _operation("enter", "Enter a request, once", answers) | {"requestBody": body}


def _get() -> dict[str, Any]:
    return _operation("tell", "How a request stands", {"200": _STATUS})


def _delete() -> dict[str, Any]:
    return _operation("cancel", "Cancel a request that nobody answers yet", {"202": _STATUS, "409": _ERROR})


def _schemas() -> dict[str, Any]:
    text = {"type": "string"}
    identity = {
        "type": "object",
        "required": ["identity_type", "identity_value"],
        "properties": {
            "identity_type": {"enum": list(DSR_IDENTITIES)},
            "identity_value": {"type": "string", "minLength": 1, "maxLength": 255},
            "identity_format": {"const": "raw"},
        },
    }
    request = {
        "type": "object",
        "required": ["subject_request_id", "subject_request_type", "submitted_time", "subject_identities"],
        "properties": {
            "subject_request_id": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{7,63}$"},
            "subject_request_type": {"enum": list(DSR_KINDS)},
            "submitted_time": {"type": "string", "format": "date-time"},
            "subject_identities": {"type": "array", "minItems": 1, "maxItems": 25, "items": identity},
            "regulation": {"enum": ["gdpr", "ccpa"]},
            "status_callback_urls": {"type": "array", "maxItems": 5, "items": {"type": "string", "format": "uri"}},
        },
    }
    status = {
        "type": "object",
        "properties": {
            "controller_id": text,
            "subject_request_id": text,
            "subject_request_type": {"enum": list(DSR_KINDS)},
            "request_status": {"enum": ["pending", "in_progress", "completed", "cancelled"]},
            "status_reason": {"enum": ["refused"]},
            "expected_completion_time": {"type": "string", "format": "date-time"},
            "received_time": {"type": "string", "format": "date-time"},
            "api_version": text,
            "results_url": {"type": "null"},
        },
    }
    return {"Request": request, "Status": status, "Error": {"type": "object", "required": ["error"]}}
