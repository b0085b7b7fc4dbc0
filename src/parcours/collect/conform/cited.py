"""Where the contract says what it says: public pages by name, SDK sources by package and version, wire captures."""

from typing import Final

HTTP_API: Final = "Segment docs, “HTTP API Source”"
PIXEL: Final = "Segment docs, “Tracking Pixel API”"
COMMON: Final = "Segment docs, “Spec: Common Fields”"
DUPLICATES: Final = "Segment docs, “Handling Duplicate Data”"
UNIFY: Final = "Segment docs, “Unify Limits”"
BROWSER: Final = "@segment/analytics-next 1.84.3, wire"
BROWSER_SOURCE: Final = "@segment/analytics-next 1.84.3, source"
NODE: Final = "@segment/analytics-node 3.1.0, source"
PYTHON: Final = "segment-analytics-python 2.4.0, source (request.py)"
RUDDER_API: Final = "RudderStack docs, “HTTP API”"
RUDDER_SERVER: Final = "rudder-server, source (gateway)"
RUDDER_NODE: Final = "@rudderstack/rudder-sdk-node 3.0.13, wire"
RUDDER_PYTHON: Final = "rudder-sdk-python 2.1.9, source"
RUDDER_JS: Final = "rudder-sdk-js, source (xhrQueue)"
JITSU_JS: Final = "@jitsu/js, source (analytics-plugin.ts)"
JITSU_INGEST: Final = "Jitsu bulker, source (ingest/router.go)"
FETCH: Final = "Fetch standard, CORS protocol"
OWN: Final = "Parcours' own rule, reference/conformance.md"


def http(section: str) -> str:
    """Return a section of the standard of HTTP."""
    return f"RFC 9110 (HTTP) §{section}"


def http_1(section: str) -> str:
    """Return a section of the standard of HTTP/1.1 on the wire."""
    return f"RFC 9112 (HTTP/1.1) §{section}"
