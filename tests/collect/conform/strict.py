"""A small server that keeps the whole contract, in memory: it proves that every rule can be satisfied."""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
import time
import zlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.collect.conform.listening import Handler

KEY = "strict-key+/:?="
TOKEN = "strict-token"
CALLS = ("identify", "track", "page", "screen", "group", "alias")
LETTERS = {kind[0]: kind for kind in CALLS}
BATCHES = {"/v1/batch", "/v1/b", "/b", "/batch", "/v1/batch/b", "/v1/import"}
ONE = re.compile(r"/v1/(\w+)|/api/s/(?:s2s/)?(\w+)")
SETTINGS = re.compile(r"(?:/v1)?/projects(?:/projects)?/([^/]+)/settings")
PIXEL = re.compile(rf"/v1/pixel/({'|'.join(CALLS)})")
EVENT_BYTES, BODY_BYTES, BATCH_EVENTS = 32 * 1024, 500 * 1024, 2500
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type, x-retry-count, x-write-key, anonymousid",
    "Access-Control-Expose-Headers": "Retry-After",
}


class Refusal(Exception):
    """A status and what it says."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Kept:
    """The events that were accepted, in order; `flaws` are ways in which a test may have it go wrong."""

    def __init__(self, *flaws: str, body_bytes: int = BODY_BYTES) -> None:
        self.flaws = set(flaws)
        self.body_bytes = body_bytes
        self.events: list[dict[str, Any]] = []
        self.ids: set[str] = set()
        self.reads: dict[str, int] = {}
        self.lock = threading.Lock()

    def take(self, event: Any, kind: str | None, envelope: dict[str, Any]) -> None:
        """Keep one event, or drop it silently when its meaning is wrong."""
        if not isinstance(event, dict) or len(json.dumps(event)) > EVENT_BYTES:
            return
        kind = kind or event.get("type")
        if kind not in CALLS and kind != "merge":
            return
        received_s = time.time()
        kept = {name: value for name, value in event.items() if name != "writeKey"} | {"type": kind}
        for name in ("context", "integrations"):
            if "no_merge" not in self.flaws:
                kept[name] = as_object(envelope.get(name)) | as_object(event.get(name))
        kept["originalTimestamp"] = event.get("originalTimestamp") or event.get("timestamp")
        kept["sentAt"] = event.get("sentAt") or envelope.get("sentAt")
        kept["receivedAt"] = write(received_s)
        kept["timestamp"] = correct(kept["originalTimestamp"], kept["sentAt"], received_s, self.flaws)
        with self.lock:
            if "no_id" not in self.flaws:
                kept.setdefault("messageId", f"strict-{len(self.events)}-{received_s}")
            id = str(kept.get("messageId"))
            if id in self.ids and "twice" not in self.flaws:
                return
            self.ids.add(id)
            self.events.append(kept)

    def read(self, anonymous_id: str) -> list[dict[str, Any]]:
        """Return one person's events."""
        with self.lock:
            found = [event for event in self.events if event.get("anonymousId") == anonymous_id]
            count = self.reads[anonymous_id] = self.reads.get(anonymous_id, 0) + 1
        if "late" in self.flaws and count < 3:
            return found[: count - 1]
        if "twice_at_first" in self.flaws and count < 3:
            return found + found
        hidden = {flaw.removeprefix("hide_") for flaw in self.flaws if flaw.startswith("hide_")}
        found = [{name: value for name, value in event.items() if name not in hidden} for event in found]
        return found[::-1] if "reversed" in self.flaws else found


def as_object(value: Any) -> dict[str, Any]:
    """Return an object, an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def write(epoch_s: float) -> str:
    """Return ISO 8601."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()


def correct(original: Any, sent: Any, received_s: float, flaws: set[str]) -> Any:
    """Return the corrected time, or the client's own where it cannot be corrected."""
    try:
        begun, gone = (datetime.fromisoformat(moment) for moment in (original, sent))
        return original if "no_clock" in flaws else write(received_s - (gone - begun).total_seconds())
    except (TypeError, ValueError):
        return original


class Strict(Handler):
    """The contract, route by route; ``server.kept`` holds what was accepted."""

    def do_OPTIONS(self) -> None:
        self.reply(204, CORS, b"")

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if found := SETTINGS.fullmatch(place.path):
            self.answer_settings(unquote(found[1]))
        elif found := PIXEL.fullmatch(place.path):
            self.take_pixel(found[1], place.query)
            self.reply(200, CORS | {"Content-Type": "image/gif"}, GIF)
        elif place.path == "/read-back":
            self.answer_read_back(parse_qs(place.query).get("anonymousId", [""])[0])
        else:
            self.answer_json(405, {"code": "no_such_method", "message": "POST only"})

    def do_HEAD(self) -> None:
        self.answer_json(405, {})

    def do_PUT(self) -> None:
        self.read_body()
        self.answer_json(405, {"code": "no_such_method", "message": "POST only"})

    do_DELETE = do_PUT

    def do_POST(self) -> None:
        body = self.read_body()
        if body is None:
            self.answer_json(400, {"code": "half_a_body", "message": "half a body"})
            return
        try:
            self.take(urlsplit(self.path).path, body)
            self.answer_json(200, {"success": True})
        except Refusal as refusal:
            self.answer_json(refusal.status, {"code": refusal.code, "message": refusal.code})

    def answer_json(self, status: int, document: dict[str, Any]) -> None:
        """Send JSON that a page may read."""
        self.reply(status, CORS | {"Content-Type": "application/json"}, json.dumps(document).encode())

    def answer_settings(self, key: str) -> None:
        """Say where events go."""
        if key != KEY:
            self.answer_json(404, {"code": "unknown_write_key", "message": "unknown write key"})
            return
        segment = {"apiKey": key, "apiHost": f"{self.headers['Host']}/v1", "protocol": "http"}
        self.answer_json(200, {"integrations": {"Segment.io": segment}, "plan": {"track": {}}})

    def answer_read_back(self, anonymous_id: str) -> None:
        """Say what was kept of one person."""
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer_json(401, {"code": "token", "message": "token"})
            return
        self.answer_json(200, {"events": self.server.kept.read(anonymous_id)})  # type: ignore[attr-defined]

    def take_pixel(self, kind: str, query: str) -> None:
        """Keep what an image's address holds, if it holds anything."""
        data = parse_qs(query).get("data", [""])[0]
        try:
            text = data if data.startswith("{") else base64.b64decode(
                data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4), validate=True)  # fmt: skip
            event = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(event, dict) and event.get("writeKey") == KEY:
            self.server.kept.take(event, kind, {})  # type: ignore[attr-defined]

    def take(self, path: str, body: bytes) -> None:
        """Take one POST, or raise what is wrong with it."""
        kind = self.find_kind(path)
        document = self.read_document(body)
        self.check_key(document)
        kept: Kept = self.server.kept  # type: ignore[attr-defined]
        if kind == "metrics":
            return
        if kind == "batch":
            items = document.get("batch")
            if not isinstance(items, list):
                raise Refusal(400, "batch_not_array")
            for item in items if len(items) <= BATCH_EVENTS else []:
                kept.take(item, None, document)
            return
        if len(json.dumps(document)) > EVENT_BYTES:
            raise Refusal(400, "event_too_large")
        kept.take(document, kind, {})

    def find_kind(self, path: str) -> str:
        """Return what a route takes."""
        if path in BATCHES:
            return "batch"
        found = ONE.fullmatch(path)
        name = (found[1] or found[2]) if found else ""
        name = LETTERS.get(name, name)
        if name in (*CALLS, "merge"):
            return name
        if path == "/v1/m":
            return "metrics"
        raise Refusal(404, "no_such_route")

    def read_document(self, body: bytes) -> dict[str, Any]:
        """Inflate with a cap, then read JSON."""
        encoding = self.headers.get("Content-Encoding", "").lower()
        cap = self.server.kept.body_bytes  # type: ignore[attr-defined]
        if encoding == "gzip":
            body = inflate(body, cap)
        elif encoding:
            raise Refusal(415, "unknown_encoding")
        if len(body) > cap:
            raise Refusal(400, "body_too_large")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal(400, "malformed_json") from None
        if not isinstance(document, dict):
            raise Refusal(400, "not_an_object")
        return document

    def check_key(self, document: dict[str, Any]) -> None:
        """The header beats the body."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(value, validate=True).decode().removesuffix(":")
            except (binascii.Error, UnicodeDecodeError):
                raise Refusal(401, "unreadable_key") from None
        else:
            header = self.headers.get("X-Write-Key")
            key = header if header else document.get("writeKey", "")
        if key != KEY:
            raise Refusal(401, "unknown_write_key")


def inflate(body: bytes, cap: int) -> bytes:
    """Return what gzip members hold, at most a little over ``cap``."""
    whole = b""
    while body and len(whole) <= cap:
        reader = zlib.decompressobj(31)
        try:
            whole += reader.decompress(body, cap + 1 - len(whole))
        except zlib.error:
            raise Refusal(400, "malformed_gzip") from None
        if not reader.eof and len(whole) <= cap:
            raise Refusal(400, "malformed_gzip")
        body = reader.unused_data
    return whole
