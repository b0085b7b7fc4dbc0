"""Thirteen requests as real SDKs write them (inflated, synthetic people), which all say the same: an order, a person.

The shapes follow what `docs/reference/deduplication.md` and the tracking contract say of each SDK: where it puts its
times, its ids and its traits, and what it adds of its own.
"""

from __future__ import annotations

from typing import Any

from shop import RECEIVED_MS

from parcours.collect.journal.delivery import BATCH

MAIL = "camille@parcours.fr"
_AT, _SENT = "2026-03-01T09:59:58.000Z", "2026-03-01T10:00:00.000Z"
_ORDER = {"order_id": "O1", "amount": 19.9, "coupon": "SPRING"}
_PERSON = {"email": MAIL, "segment": "club"}
_CONSENT = {"categoryPreferences": {"improve": True, "advertise": False}}
_PAGE = {"path": "/", "referrer": "", "search": "", "title": "Shop", "url": "https://shop.example/"}


def _node(type: str, **members: Any) -> dict[str, Any]:
    return {
        "timestamp": _AT,
        "integrations": {},
        "userId": "C1",
        "anonymousId": "a-1",
        "type": type,
        **members,
        "context": {"consent": _CONSENT, "library": {"name": "@segment/analytics-node", "version": "3.1.0"}},
        "messageId": f"node-next-1772359198000-{type}-4d1c",
        "_metadata": {"nodeVersion": "22.1.0", "jsRuntime": "node"},
    }


def _python(type: str, **members: Any) -> dict[str, Any]:
    return {
        "integrations": {},
        "anonymousId": "a-1",
        "timestamp": "2026-03-01T09:59:58+00:00",
        "context": {"consent": _CONSENT, "library": {"name": "analytics-python", "version": "2.4.0"}},
        "userId": "C1",
        "type": type,
        **members,
        "messageId": f"8f14e45f-ceea-467f-ab12-{type:0<12}"[:36],
    }


def _browser(type: str, sent: bool = True, **members: Any) -> dict[str, Any]:
    library = {"name": "analytics.js", "version": "npm:next-1.84.3"}
    call = {
        "timestamp": _AT,
        "integrations": {},
        "userId": "C1",
        "anonymousId": "a-1",
        "type": type,
        **members,
        "context": {"page": _PAGE, "userAgent": "Mozilla/5.0", "locale": "fr", "library": library, "consent": _CONSENT},
        "messageId": f"ajs-next-1772359198000-{type}-91",
        "writeKey": "wk",
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
    }
    return {**call, "sentAt": _SENT} if sent else call


def _rudder(type: str, traits: dict[str, Any], **members: Any) -> dict[str, Any]:
    library = {"name": "analytics-node", "version": "3.0.13"}
    return {
        "userId": "C1",
        "anonymousId": "a-1",
        "type": type,
        **members,
        "context": {"traits": traits, "library": library, "consent": _CONSENT},
        "_metadata": {"nodeVersion": "22.1.0"},
        "messageId": f"node-{type}-1772359198000-6c1f",
        "originalTimestamp": _AT,
        "sentAt": _SENT,
        "channel": "server",
        "integrations": {"All": True},
    }


def _jitsu(type: str, **members: Any) -> dict[str, Any]:
    return {
        "type": type,
        **members,
        "userId": "C1",
        "anonymousId": "a-1",
        "context": {"page": _PAGE, "library": {"name": "@jitsu/js", "version": "1.10.0"}, "consent": _CONSENT},
        "timestamp": _AT,
        "sentAt": _SENT,
        "messageId": f"1f5i8bpzrf{type}0xq",
        "writeKey": "***",
        "requestIp": "203.0.113.7",
    }


_TRACK: dict[str, Any] = {"event": "Order Completed", "properties": _ORDER}

RECORDED: list[tuple[str, str, str, Any]] = [
    (
        "segment node batch",
        "web",
        BATCH,
        {"batch": [_node("identify", traits=_PERSON), _node("track", **_TRACK)], "writeKey": "wk", "sentAt": _SENT},
    ),
    (
        "segment python batch",
        "web",
        BATCH,
        {
            "batch": [_python("identify", traits=_PERSON), _python("track", **_TRACK)],
            "sentAt": "2026-03-01T10:00:00.000000+00:00",
            "writeKey": "wk",
        },
    ),
    ("browser /v1/t", "web", "track", _browser("track", **_TRACK)),
    ("browser /v1/i", "web", "identify", _browser("identify", traits=_PERSON)),
    ("browser /v1/p", "web", "page", _browser("page", name="Product", properties={**_PAGE, "page_kind": "product"})),
    ("browser /v1/s", "web", "screen", _browser("screen", name="Product", properties={"page_kind": "product"})),
    ("browser /v1/g", "web", "group", _browser("group", groupId="G1", traits={"plan": "team"})),
    ("browser /v1/a", "web", "alias", _browser("alias", previousId="a-1")),
    (
        "browser /v1/b",
        "web",
        BATCH,
        {
            "writeKey": "wk",
            "batch": [_browser("identify", sent=False, traits=_PERSON), _browser("track", sent=False, **_TRACK)],
            "sentAt": _SENT,
        },
    ),
    (
        "rudder node batch (gzip, form)",
        "rudder",
        BATCH,
        {
            "batch": [_rudder("identify", _PERSON), _rudder("track", {}, **_TRACK)],
            "timestamp": _SENT,
            "sentAt": _SENT,
        },
    ),
    ("jitsu /api/s/track", "jitsu", "track", _jitsu("track", **_TRACK)),
    ("jitsu /api/s/identify", "jitsu", "identify", _jitsu("identify", traits=_PERSON)),
    ("jitsu /api/s/page", "jitsu", "page", _jitsu("page", properties={**_PAGE, "page_kind": "product"})),
]
"""What it is called, the source, the kind of its delivery, and the body."""

_WHEN = {"occurred_ms": RECEIVED_MS - 2_000, "original_ms": RECEIVED_MS - 2_000, "sent_ms": RECEIVED_MS}
_WHO = {"id_user": "C1", "id_device": "a-1", "consent_improve": True, "consent_advertise": False}
MEANT: dict[str, dict[str, Any]] = {
    "track": {"name": "Order Completed", **_WHEN, **_WHO, "object_order": "O1", "field_amount": 19.9},
    "identify": {"name": "Identified", **_WHEN, **_WHO, "id_mail": MAIL, "field_segment": "club"},
    "page": {"name": "Page Viewed", **_WHEN, **_WHO, "field_page_kind": "product"},
    "screen": {"name": "Screen Viewed", **_WHEN, **_WHO, "field_page_kind": "product"},
    "group": {"name": "Group Joined", **_WHEN, **_WHO, "object_group": "G1"},
    "alias": {"name": "Aliased", **_WHEN, **_WHO},
}
"""The one row that each call comes to, whoever sent it."""
