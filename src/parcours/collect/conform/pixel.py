"""Pixel: an event as the address of an image, for e-mails and pages without script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import GIF, ask
from parcours.collect.conform.rule import same
from parcours.collect.conform.run import CALLS, UNKNOWN_KEY, Run
from parcours.words import Words


def pixel(kind: str, data: str | None) -> Request:
    """Return the request of an image whose address holds ``data``."""
    return Request("GET", f"/v1/pixel/{kind}" + ("" if data is None else f"?data={quote(data, safe='')}"))


def pixel_event(run: Run, kind: str = "track", **fields: Any) -> bytes:
    """Return the JSON of an event with its key, as a template of an e-mail holds it."""
    return msgspec.json.encode(run.event(kind, **fields) | {"writeKey": fields.get("writeKey", run.key)})


def encode_standard(data: bytes) -> str:
    """Return base64 with the standard alphabet and padding."""
    return base64.b64encode(data).decode()


def encode_for_url(data: bytes) -> str:
    """Return base64 with the URL-safe alphabet and padding."""
    return base64.urlsafe_b64encode(data).decode()


def encode_unpadded(data: bytes) -> str:
    """Return base64 with the URL-safe alphabet and no padding."""
    return encode_for_url(data).rstrip("=")


def awkward_event(run: Run, **fields: Any) -> bytes:
    """Return an event whose base64 needs padding and holds both letters in which the alphabets differ."""
    data = pixel_event(run, **fields | {"properties": {"synthetic": True, "text": ">>>???"}})
    return data if len(data) % 3 else data.replace(b">>>???", b">>>????")


def send_garbage(run: Run) -> Iterator[Request]:
    """No data, no base64, half an event, JSON that is no object."""
    yield pixel("track", None)
    yield pixel("track", "%%% not base64 \x00 \ufffd")
    yield pixel("track", encode_standard(pixel_event(run)[:40]))
    yield pixel("track", encode_standard(b"[1, 2]"))


RULES = (
    ask(
        "pixel.calls",
        Words("GET /v1/pixel/TYPE?data=base64, les six types", "GET /v1/pixel/TYPE?data=base64, all six types"),
        cited.PIXEL,
        lambda run: (pixel(kind, encode_standard(pixel_event(run, kind))) for kind in CALLS),
        GIF,
    ),
    ask(
        "pixel.url_safe",
        Words("… en base64 pour URL (- et _)", "… in URL-safe base64 (- and _)"),
        cited.OWN,
        lambda run: pixel("track", encode_for_url(awkward_event(run))),
        GIF,
    ),
    ask(
        "pixel.unpadded",
        Words("… en base64 sans remplissage", "… in base64 without padding"),
        cited.OWN,
        lambda run: pixel("track", encode_unpadded(awkward_event(run))),
        GIF,
    ),
    ask(
        "pixel.plain",
        Words("… en JSON, sans base64", "… as JSON, without base64"),
        cited.PIXEL,
        lambda run: pixel("track", pixel_event(run).decode()),
        GIF,
    ),
    ask(
        "pixel.garbage",
        Words("… sans data, ou avec n'importe quoi", "… without data, or with garbage"),
        cited.PIXEL,
        send_garbage,
        GIF,
    ),
    ask(
        "pixel.unknown_key",
        Words("… avec une clé inconnue", "… with an unknown key"),
        cited.PIXEL,
        lambda run: pixel("track", encode_standard(pixel_event(run, writeKey=UNKNOWN_KEY))),
        GIF,
    ),
    ask(
        "pixel.parameters",
        same("GET /v1/pixel/track?userId=…&event=…&properties.subject=…&writeKey=…"),
        cited.PIXEL,
        lambda run: Request(
            "GET",
            f"/v1/pixel/track?userId={run.fresh('user')}&event=Conformance%20Checked"
            f"&properties.synthetic=true&writeKey={quote(run.key)}",
        ),
        GIF,
    ),
)
"""In the order in which they run; that the events are kept is for ``readback.pixel``."""
