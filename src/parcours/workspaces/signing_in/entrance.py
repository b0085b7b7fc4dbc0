"""How one application lets people in: its accounts, what may be tried how often, and where it is reached."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from parcours.know import Access, Ended, SignedIn
from parcours.settings import Settings
from parcours.workspaces.signing_in.attempts import Attempts
from parcours.workspaces.signing_in.cookies import SESSION, read_cookie

AT_ONCE_PERSON, AGAIN_PERSON_S = 6, 60.0
AT_ONCE_ADDRESS, AGAIN_ADDRESS_S = 30, 10.0
NOTED = ("document", "iframe", "")
"""What a browser says a request is for when a person opens a page; what a page fetches by itself is no use of it."""


class Entrance:
    """The way into the pages of one company.

    Args:
        access: Its people and sessions.
        settings: Where it is reached, and who signs people in.
    """

    def __init__(self, access: Access, settings: Settings) -> None:
        self.access = access
        self.settings = settings
        self.by_person = Attempts(AT_ONCE_PERSON, AGAIN_PERSON_S)
        self.by_address = Attempts(AT_ONCE_ADDRESS, AGAIN_ADDRESS_S)
        self.secret = secrets.token_bytes(32)
        """Seals what a browser carries to a provider and back; it ends with this process."""

    @property
    def secure(self) -> bool:
        """Whether people reach the pages over TLS, so that cookies may never travel without it."""
        return urlsplit(self.settings.serve.public_url).scheme == "https"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The name by which people reach the pages through a proxy."""
        return tuple(filter(None, (urlsplit(self.settings.serve.public_url).netloc,)))

    def find(self, asked: HTTPConnection) -> SignedIn | Ended:
        """Return who asks: by the session in their cookie, or, for a program, by the token that it sends."""
        now_ms = time.time_ns() // 1_000_000
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            found = self.access.sessions.find(token.strip(), now_ms)
            # What a program holds opens no page in a browser, and the other way round.
            return found if isinstance(found, str) or found.session.how == "token" else "unknown"
        secret = read_cookie(SESSION, asked, self.secure)
        if not secret:
            return "unknown"
        note = asked.headers.get("sec-fetch-dest", "") in NOTED
        found = self.access.sessions.find(secret, now_ms, note)
        return found if isinstance(found, str) or found.session.how != "token" else "unknown"

    def find_address(self, asked: HTTPConnection) -> str:
        """Return the client's address; a proxy of the company's own has appended what it saw."""
        told = asked.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if self.settings.serve.forwarded and told:
            return told[:64]
        return asked.client.host if asked.client else ""

    def origin(self, asked: HTTPConnection) -> str:
        """Return the address by which people reach the pages, without a path."""
        public = urlsplit(self.settings.serve.public_url)
        if public.netloc:
            return f"{public.scheme}://{public.netloc}"
        return f"{asked.url.scheme}://{asked.headers.get('host', '')}"

    def digest(self, text: str) -> str:
        """Return what this process alone can make of ``text``."""
        return hmac.new(self.secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
