"""One run against one server: its key, its fresh ids, its synthetic events, and what it has seen so far."""

from __future__ import annotations

import base64
import gzip
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec

from parcours import __version__
from parcours.collect.conform.client import Answer, Connection, Pairs, Request, exchange, name_trouble
from parcours.collect.conform.describe import describe_exchange
from parcours.collect.conform.target import Target

By = Literal["basic", "body", "bearer", "x", "none"]
"""How a request says its key: Basic, in the body, in the body beside a Bearer token, ``X-Write-Key``, not at all."""

CALLS: Final = ("identify", "track", "page", "screen", "group", "alias")
LETTERS: Final = {kind[0]: kind for kind in CALLS}
UNKNOWN_KEY: Final = "conform-unknown-write-key"
JSON: Final = "application/json"
PATIENCE_S: Final = 5
"""The longest ``Retry-After`` that the run itself waits for before it asks again."""


class Run:
    """One run; ``made_up_key`` says that nobody gave a write key."""

    def __init__(self, target: Target, key: str | None, *, profile: str = "segment", timeout_s: float = 10.0) -> None:
        self.target = target
        self.profile = profile
        self.made_up_key = key is None
        self.key = key or "conform-made-up-key"
        self.timeout_s = timeout_s
        self.id = secrets.token_hex(6)
        self.seen: list[Answer] = []
        self.exchanges: list[str] = []
        self.silent = 0
        self._home = "/api/s/" if profile == "jitsu" else "/v1/"
        self._count = 0

    def fresh(self, name: str) -> str:
        """Return an id that no other run and no other rule has used."""
        self._count += 1
        return f"conform-{self.id}-{name}-{self._count}"

    def event(self, kind: str = "track", /, **fields: Any) -> dict[str, Any]:
        """Return a synthetic event of ``kind`` with fresh ids; fields given replace its own, ``...`` takes one out."""
        event: dict[str, Any] = {
            "type": kind,
            "messageId": self.fresh("message"),
            "anonymousId": self.fresh("device"),
            "timestamp": write_time(time.time()),
            "context": self.context(),
        }
        event |= _OF_KIND[kind]
        if kind in ("identify", "group", "alias"):
            event["userId"] = self.fresh("user")
        return {name: value for name, value in (event | fields).items() if value is not ...}

    def context(self) -> dict[str, Any]:
        """Return the context of every event, which says that it is synthetic."""
        return {"synthetic": True, "library": {"name": "parcours-conform", "version": __version__}}

    def batch(self, *events: Any, **fields: Any) -> dict[str, Any]:
        """Return an envelope of events."""
        return {"batch": list(events), "sentAt": write_time(time.time()), "context": self.context()} | fields

    def post(
        self, path: str, body: Any, by: By = "basic", *, key: str | None = None, type: str | None = JSON
    ) -> Request:
        """Return a POST of ``body``: an object, to which the key may be added, or bytes as they are."""
        key = self.key if key is None else key
        headers: Pairs = () if type is None else (("Content-Type", type),)
        if by == "basic":
            headers += (("Authorization", basic(key)),)
        elif by == "x":
            headers += (("X-Write-Key", key),)
        elif by == "bearer":
            headers += (("Authorization", "Bearer conform-token"),)
        if by in ("body", "bearer"):
            body = body | {"writeKey": key}
        return Request("POST", path, headers, body if isinstance(body, bytes) else msgspec.json.encode(body))

    def home(self, body: Any, kind: str = "track", *, type: str | None = JSON) -> Request:
        """Return a POST to the call that the profile's own clients use, with the key as they say it."""
        return self.post(f"{self._home}{kind}", body, "x" if self._home == "/api/s/" else "basic", type=type)

    def browser(self, path: str, body: dict[str, Any]) -> Request:
        """Return a POST as Segment's browser SDK makes it: text/plain, Basic and the key in the body, an origin."""
        request = self.post(path, body | {"writeKey": self.key}, type="text/plain")
        return request.adding(("Origin", ORIGIN))

    def send(self, request: Request) -> Answer:
        """Send one request; when told to wait a few seconds, wait and ask once more."""
        answer = self._exchange(request)
        if answer.status in (429, 503) and (wait_s := read_seconds(answer)) is not None and wait_s <= PATIENCE_S:
            time.sleep(wait_s)
            answer = self._exchange(request)
        return answer

    def connect(self) -> Connection:
        """Open a connection for what `send` cannot do; `OSError` when there is none."""
        return Connection(self.target, self.timeout_s)

    def keep(self, told: str, answer: Answer) -> Answer:
        """Remember an exchange and its answer."""
        self.seen.append(answer)
        self.exchanges.append(describe_exchange(self.mask(told), answer))
        self.silent = self.silent + 1 if answer.trouble in ("refused", "timeout") and not answer.status else 0
        return answer

    def mask(self, text: str) -> str:
        """Return a text without the write key."""
        for form in (self.key, quote(self.key, safe=""), basic(self.key)):
            text = text.replace(form, "KEY")
        return text

    def tell(self, request: Request) -> str:
        """Return the method and the route of a request; what follows the ``?`` may hold a key and is left out."""
        path, _, query = request.path.partition("?")
        return self.mask(f"{request.method} {path}{'?…' if query else ''}")

    def lost(self, told: str, fault: OSError) -> Answer:
        """Remember that there was no connection."""
        return self.keep(told, Answer(trouble=name_trouble(fault)))

    def _exchange(self, request: Request) -> Answer:
        size = "" if request.body is None else f" ({len(request.body)} B)"
        return self.keep(f"{self.tell(request)}{size}", exchange(self.target, request, self.timeout_s))


ORIGIN: Final = "https://shop.example"

_OF_KIND: Final[dict[str, dict[str, Any]]] = {
    "identify": {"traits": {"plan": "synthetic"}},
    "track": {"event": "Conformance Checked", "properties": {"synthetic": True}},
    "page": {"name": "Conformance", "properties": {"path": "/synthetic"}},
    "screen": {"name": "Conformance", "properties": {"synthetic": True}},
    "group": {"groupId": "conform-group", "traits": {"plan": "synthetic"}},
    "alias": {"previousId": "conform-previous"},
}


def basic(key: str) -> str:
    """Return the value of an ``Authorization`` header: the key is the name, the password is empty."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def zipped(request: Request, type: str | None = None) -> Request:
    """Return the request with its body gzipped, and perhaps labelled as something else."""
    pairs = [("Content-Encoding", "gzip")] + ([("Content-Type", type)] if type else [])
    packed = gzip.compress(request.body or b"", 6, mtime=0)
    return Request(request.method, request.path, request.headers, packed).adding(*pairs)


def write_time(epoch_s: float) -> str:
    """Return a moment as SDKs write it: ISO 8601, milliseconds, UTC."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_seconds(answer: Answer) -> int | None:
    """Return ``Retry-After`` in seconds, ``None`` where it is absent or no whole number."""
    told = (answer.header("Retry-After") or "").strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None
