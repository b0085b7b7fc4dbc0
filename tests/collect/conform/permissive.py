"""Servers that take anything, each careless in its own way: what a suite must find."""

from __future__ import annotations

import json
from typing import Any

from tests.collect.conform.listening import Handler
from tests.collect.conform.strict import CORS, Kept, Refusal, Strict, inflate

SUCCESS = b'{"success": true}'


class Permissive(Handler):
    """Answers 200 and success to every request of any kind, with good CORS headers."""

    status = 200
    headers_sent = CORS | {"Content-Type": "application/json"}

    def answer(self) -> None:
        body = self.read_body()
        self.reply(self.status, self.headers_sent, self.make_body(body))

    def make_body(self, _: bytes | None) -> bytes:
        return SUCCESS

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer


class NoContent(Permissive):
    """Answers 204, as Dittofeed does."""

    status = 204


class NoCors(Permissive):
    """Knows nothing of browsers."""

    headers_sent = {"Content-Type": "application/json"}  # noqa: RUF012


class StarCors(Permissive):
    """Believes that ``*`` covers everything."""

    headers_sent = {  # noqa: RUF012
        "Content-Type": "application/json",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Expose-Headers": "*",
    }


class Echo(Permissive):
    """Sends back what it was sent."""

    headers_sent = CORS | {"Content-Type": "text/plain"}

    def make_body(self, body: bytes | None) -> bytes:
        return body or b""


class NoKeys(Strict):
    """Strict but for keys, which it does not look at."""

    def check_key(self, document: dict[str, Any]) -> None:
        pass


class BodyFirst(Strict):
    """Strict, but believes the body's key before the header's."""

    def check_key(self, document: dict[str, Any]) -> None:
        if "writeKey" in document:
            del self.headers["Authorization"], self.headers["X-Write-Key"]
        super().check_key(document)


class CrashesOnDepth(Strict):
    """Strict, but reads JSON without minding how deep it is."""

    def read_document(self, body: bytes) -> dict[str, Any]:
        try:
            json.loads(body)
        except RecursionError:
            raise Refusal(500, "recursion") from None
        except ValueError:
            pass
        return super().read_document(body)


class RoutesOnType(Strict):
    """Strict, but takes nothing that is not labelled as JSON."""

    def read_document(self, body: bytes) -> dict[str, Any]:
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            raise Refusal(415, "unsupported_type")
        return super().read_document(body)


class NoCap(Strict):
    """Strict, but inflates whatever comes, however large."""

    def read_document(self, body: bytes) -> dict[str, Any]:
        if self.headers.get("Content-Encoding") == "gzip":
            inflated = inflate(body, 2**28)
            del self.headers["Content-Encoding"]
            kept: Kept = self.server.kept  # type: ignore[attr-defined]
            document = json.loads(inflated)
            return document if len(inflated) > kept.body_bytes else super().read_document(inflated)
        return super().read_document(body)


class PlainErrors(Strict):
    """Strict, but says what is wrong as text, and “OK” when nothing is, as RudderStack does."""

    def answer_json(self, status: int, document: dict[str, Any]) -> None:
        if self.command != "POST":
            super().answer_json(status, document)
            return
        text = b"OK" if status == 200 else document["message"].encode()
        self.reply(status, CORS | {"Content-Type": "text/plain"}, text)


class HalfErrors(Strict):
    """Strict, but its errors have no message."""

    def answer_json(self, status: int, document: dict[str, Any]) -> None:
        super().answer_json(status, {"code": document["code"]} if "code" in document else document)


class AllOrNothing(Strict):
    """Strict, but one bad event refuses its whole batch."""

    def take(self, path: str, body: bytes) -> None:
        if self.find_kind(path) == "batch":
            items = self.find_items(body)
            for item in items if isinstance(items, list) else []:
                if not isinstance(item, dict) or "type" not in item or len(json.dumps(item)) > 32 * 1024:
                    raise Refusal(400, "bad_event")
        super().take(path, body)

    def find_items(self, body: bytes) -> Any:
        try:
            return json.loads(body).get("batch") if body[:1] == b"{" else None
        except (ValueError, RecursionError):
            return None


class NotThere(Permissive):
    """Has no route at all."""

    status = 404

    def make_body(self, _: bytes | None) -> bytes:
        return b'{"code": "no_such_route", "message": "no such route"}'


class ClosesAfterEach(Strict):
    """Strict, but in HTTP/1.0: one request a connection."""

    protocol_version = "HTTP/1.0"
