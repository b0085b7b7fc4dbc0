"""What every client is asked to send, said once for all of them, and the one form that it comes to."""

from __future__ import annotations

from typing import Any

MAIL = "camille@parcours.fr"
AGO_MS = 7_200_000
_WHO = {"userId": "C1", "anonymousId": "a-1", "consent": {"personalise": True, "advertise": False}}
_ORDER = {
    "order_id": "O1",
    "amount": 19.9,
    "quantity": 2,
    "gift": True,
    "town": "Saint-Étienne",
    "lines": [{"sku": "L-7", "name": "Lampe « Œuf » ☀", "price": 9.95}],
}

CALLS: dict[str, dict[str, Any]] = {
    "identify": {"type": "identify", **_WHO, "traits": {"email": MAIL, "segment": "club", "first": "Zoé"}},
    "track": {"type": "track", **_WHO, "event": "Order Completed", "properties": _ORDER},
    "dated": {"type": "track", **_WHO, "event": "Order Completed", "properties": _ORDER, "ago_ms": AGO_MS},
    "page": {"type": "page", **_WHO, "name": "Lampe", "properties": {"page_kind": "product"}},
    "screen": {"type": "screen", **_WHO, "name": "Lampe", "properties": {"page_kind": "product"}},
    "group": {"type": "group", **_WHO, "groupId": "G1", "traits": {"plan": "team"}},
    "alias": {"type": "alias", **_WHO, "previousId": "a-1"},
}
"""By name; ``dated`` is a track of two hours before, for clients that let their caller say when."""

_PERSON = {"id_user": "C1", "id_device": "a-1", "consent_personalise": True, "consent_advertise": False}
_ORDERED = {
    "name": "Order Completed",
    **_PERSON,
    "object_order": "O1",
    "field_amount": 19.9,
    "field_quantity": 2.0,
    "field_gift": "true",
    "field_town": "Saint-Étienne",
}
MEANT: dict[str, dict[str, Any]] = {
    "identify": {"name": "Identified", **_PERSON, "id_mail": MAIL, "field_segment": "club"},
    "track": _ORDERED,
    "dated": _ORDERED,
    "page": {"name": "Page Viewed", **_PERSON, "field_page_kind": "product"},
    "screen": {"name": "Screen Viewed", **_PERSON, "field_page_kind": "product"},
    "group": {"name": "Group Joined", **_PERSON, "object_group": "G1"},
    "alias": {"name": "Aliased", **_PERSON},
}
"""The row that each comes to, whichever client sent it, without its times."""

CARRIED = {"id_mail": MAIL, "field_segment": "club"}
"""What Jitsu's client adds to tracks and pages once a person is identified: their traits, in the context."""


def make_orders(first: int, count: int) -> list[dict[str, Any]]:
    """Return ``count`` tracks whose amount is their number, from ``first`` on."""
    return [
        {
            "type": "track",
            **_WHO,
            "event": "Order Completed",
            "properties": {"order_id": f"O{number}", "amount": number},
        }
        for number in range(first, first + count)
    ]
