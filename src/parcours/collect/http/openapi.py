"""The OpenAPI document of the collection port, made from the routes and the answers themselves."""

from __future__ import annotations

from functools import cache
from typing import Any

from parcours.collect.http.routes import ROUTES, SETTINGS, SETTINGS_PATHS, Answers, Route
from parcours.collect.journal.delivery import BATCH

Part = dict[str, Any]

CODES: dict[Answers, dict[int, tuple[str, ...]]] = {
    "track": {
        400: ("invalid_json", "invalid_request", "invalid_encoding", "event_too_large", "body_too_large"),
        401: ("invalid_write_key",),
        403: ("origin_refused", "event_refused"),
        405: ("method_not_allowed",),
        408: ("body_cut_short",),
        415: ("invalid_encoding",),
        421: ("host_not_served",),
        429: ("busy", "queue_full", "rate_exceeded"),
        500: ("internal",),
        503: ("not_written",),
    },
    "discard": {
        400: ("body_too_large",),
        405: ("method_not_allowed",),
        408: ("body_cut_short",),
        421: ("host_not_served",),
        429: ("busy", "queue_full"),
        500: ("internal",),
    },
    "pixel": {405: ("method_not_allowed",), 421: ("host_not_served",)},
    "settings": {
        404: ("unknown_project",),
        405: ("method_not_allowed",),
        421: ("host_not_served",),
        500: ("internal",),
    },
}
"""Every code that an address may answer with beside success, by status."""

ON_THE_WIRE: dict[int, tuple[str, ...]] = {
    400: ("not_http",),
    408: ("headers_cut_short",),
    431: ("headers_too_large",),
}
"""What is answered to that which never becomes a request, at any address."""

SUMMARIES = {
    "identify": "Who somebody is",
    "track": "Something that somebody did",
    "page": "A page that somebody saw",
    "screen": "A screen of an app that somebody saw",
    "group": "The group that somebody belongs to",
    "alias": "Two ids of one person",
    "merge": "RudderStack's call that joins two ids; kept in quarantine",
    BATCH: "Many events; each says its own type",
}
_ANY_TYPE = "The content type is not looked at: SDKs send text/plain, and gzip under a form's name."
_JSON = "application/json"


@cache
def describe_api() -> Part:
    """Return the document."""
    paths: dict[str, Part] = {path: _describe_path(path, route) for path, route in ROUTES.items()}
    paths |= {path: _describe_path(path, SETTINGS) for path in SETTINGS_PATHS}
    paths |= _describe_more()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parcours collection",
            "version": "1",
            "description": "Segment's tracking contract, with RudderStack's and Jitsu's variants. A request is "
            "answered with 200 only once its events are on disk.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY, "parameters": _PARAMETERS},
    }


def _describe_path(path: str, route: Route) -> Part:
    described: Part = {
        method.lower(): _describe_operation(path, route, method) for method in route.methods if method != "OPTIONS"
    }
    described["options"] = {
        "operationId": _name("options", path),
        "summary": "What a browser asks before it sends",
        "responses": {"200": {"description": "What may be sent"}, "421": _describe_refusal(("host_not_served",))},
    }
    if "{writeKey}" in path:
        described["parameters"] = [{"$ref": "#/components/parameters/writeKey"}]
    return described


def _describe_operation(path: str, route: Route, method: str) -> Part:
    operation: Part = {
        "operationId": _name(method.lower(), path),
        "summary": _summarise(route),
        "responses": {
            "200": _describe_success(route, method),
            **{
                str(status): _describe_refusal(codes, method == "HEAD")
                for status, codes in CODES[route.answers].items()
            },
        },
    }
    if route.answers == "pixel":
        operation["parameters"] = [{"$ref": "#/components/parameters/data"}]
    if method == "POST":
        schema = {"track": "Batch" if route.kind == BATCH else "Event", "discard": "Metrics"}[route.answers]
        content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
        operation["requestBody"] = {"required": True, "description": _ANY_TYPE, "content": {_JSON: content}}
    if route.answers == "track":
        operation["parameters"] = [{"$ref": "#/components/parameters/retries"}]
        operation["security"] = [{"basic": []}, {"writeKeyHeader": []}, {"bearer": []}, {}]
    return operation


def _summarise(route: Route) -> str:
    if route.answers == "pixel":
        return f"{SUMMARIES[route.kind]}, told by a picture"
    if route.answers == "settings":
        return "Where Segment's browser SDK should send"
    if route.answers == "discard":
        return "What browsers tell of their SDK; read and forgotten"
    return SUMMARIES[route.kind]


def _describe_success(route: Route, method: str) -> Part:
    if route.answers == "pixel":
        kind, schema = "image/gif", {"type": "string", "contentEncoding": "binary"}
        described = {"description": "A picture of one pixel, whether its event was taken or not"}
    elif route.answers == "settings":
        kind, schema = _JSON, {"$ref": "#/components/schemas/Settings"}
        described = {"description": "The settings"}
    else:
        kind, schema = _JSON, {"$ref": "#/components/schemas/Accepted"}
        described = {"description": "Accepted, and on disk" if route.answers == "track" else "Read"}
    return described if method == "HEAD" else {**described, "content": {kind: {"schema": schema}}}


def _describe_refusal(codes: tuple[str, ...], bare: bool = False) -> Part:
    described: Part = {"description": ", ".join(codes)}
    if not bare:
        described["content"] = {_JSON: {"schema": {"$ref": "#/components/schemas/Refused"}}}
    if {"busy", "not_written"} & set(codes):
        described["headers"] = {
            "Retry-After": {"description": "Whole seconds", "schema": {"type": "integer", "minimum": 1, "maximum": 300}}
        }
    return described


def _describe_more() -> dict[str, Part]:
    """The addresses of `more`; HEAD goes with every GET of it."""

    def get(name: str, summary: str, schema: str, refusals: dict[str, str]) -> Part:
        content = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        answers: Part = {"200": {"description": summary, "content": content}}
        for status, other in refusals.items():
            answers[status] = {
                "description": "It is not so",
                "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{other}"}}},
            }
        return {"operationId": name, "summary": summary, "responses": answers}

    refused = {"405": "Refused", "421": "Refused"}
    read_back = get("read_back", "The events of one person", "Events", {"400": "Refused", "401": "Refused", **refused})
    read_back["description"] = "Only where a token for it was given to the server; 404 otherwise."
    read_back["parameters"] = [
        {"name": "anonymousId", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}}
    ]
    read_back["security"] = [{"bearer": []}]
    read_back["responses"]["404"] = {"description": "There is no such interface here"}
    return {
        "/health": {"get": get("health", "Whether the process answers", "Status", refused)},
        "/ready": {"get": get("ready", "Whether events are taken and kept", "Status", {"503": "Status", **refused})},
        "/openapi.json": {"get": get("openapi", "This document", "Document", refused)},
        "/read-back": {"get": read_back},
    }


def _name(method: str, path: str) -> str:
    return "_".join([method, *(piece.strip("{}").replace(".", "_") for piece in path.strip("/").split("/"))])


_TEXT = {"type": "string"}
_ANY: Part = {}
_EVENT: Part = {
    "type": "object",
    "description": "Any further fields are kept as they come.",
    "properties": {
        "type": {**_ANY, "description": "identify, track, page, screen, group or alias; the address says it else"},
        "event": {**_ANY, "description": "What happened, for track"},
        "userId": _ANY,
        "anonymousId": _ANY,
        "previousId": _ANY,
        "groupId": _ANY,
        "messageId": {**_ANY, "description": "At most 100 characters; the same one is kept once"},
        "timestamp": {**_ANY, "description": "When, by the client's clock"},
        "originalTimestamp": _ANY,
        "sentAt": {**_ANY, "description": "When it was sent, by the client's clock: what the clock is corrected by"},
        "context": _ANY,
        "properties": _ANY,
        "traits": _ANY,
        "integrations": _ANY,
        "writeKey": _ANY,
    },
}
_SCHEMAS: dict[str, Part] = {
    "Accepted": {
        "type": "object",
        "properties": {"success": {"const": True}},
        "required": ["success"],
        "additionalProperties": False,
    },
    "Refused": {
        "type": "object",
        "properties": {"success": {"const": False}, "code": _TEXT, "message": _TEXT},
        "required": ["success", "code", "message"],
        "additionalProperties": False,
    },
    "Event": _EVENT,
    "Batch": {
        "type": "object",
        "properties": {
            "batch": {"type": "array", "items": _ANY, "description": "Events; what is none waits in quarantine"},
            "sentAt": _ANY,
            "context": {**_ANY, "description": "Goes into the context of every event"},
            "integrations": {**_ANY, "description": "Go into the integrations of every event"},
            "writeKey": _ANY,
        },
        "required": ["batch"],
    },
    "Metrics": {**_ANY, "description": "Anything"},
    "Settings": {
        "type": "object",
        "properties": {"integrations": {"type": "object", "required": ["Segment.io"]}, "plan": {"type": "object"}},
        "required": ["integrations", "plan"],
    },
    "Status": {
        "type": "object",
        "properties": {"status": {"enum": ["alive", "ready", "not_ready"]}, "reason": _TEXT},
        "required": ["status"],
        "additionalProperties": False,
    },
    "Document": {"type": "object", "required": ["openapi", "paths"]},
    "Events": {
        "type": "object",
        "properties": {"events": {"type": "array", "items": {"type": "object"}}},
        "required": ["events"],
    },
}
_SECURITY: dict[str, Part] = {
    "basic": {"type": "http", "scheme": "basic", "description": "The write key as the user, an empty password"},
    "writeKeyHeader": {"type": "apiKey", "in": "header", "name": "X-Write-Key", "description": "Jitsu's"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "Not looked at: the write key stands in the body"},
}
_PARAMETERS: dict[str, Part] = {
    "writeKey": {"name": "writeKey", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    "data": {
        "name": "data",
        "in": "query",
        "required": False,
        "description": "The event: JSON, or its base64 in either alphabet, with or without padding",
        "schema": _ANY,
    },
    "retries": {"name": "X-Retry-Count", "in": "header", "required": False, "schema": _ANY},
}
