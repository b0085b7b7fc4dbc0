"""Who is signed in: 256 random bits each, kept as a digest, with an idle and an absolute end; and opening links."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Literal

import msgspec

from parcours.engine.store.sqlite import Database
from parcours.know.access.people import LOCAL, Person, Staff
from parcours.know.access.roles import Role
from parcours.know.access.store import table_of

How = Literal["password", "provider", "link", "token"]
"""How somebody came in; ``token`` is a session that a program holds."""
Ended = Literal["unknown", "expired", "clock", "changed"]
"""Ended nobody is signed in: no such session, its end, a clock that went back, a role that was changed."""

SECRET_BYTES = 32
IDLE_MS = 60 * 60_000
LONGEST_MS = 12 * 3_600_000
LINK_MS = 15 * 60_000
SKEW_MS = 5 * 60_000
"""By how much clocks may differ before something that was made in the future is refused."""
_NOTED_MS = 60_000
"""How often it is written down that a session is in use."""


class Session(msgspec.Struct, frozen=True):
    """A session as it is kept; ``digest`` is of its secret, which nobody keeps."""

    digest: str
    person_id: int
    role: Role
    how: How
    made_ms: int
    seen_ms: int
    ends_ms: int


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody, and the session in which they ask."""

    person: Person
    session: Session


class Sessions:
    """The sessions over an open ``access.db``.

    Args:
        access: The database.
        idle_ms: After how long without a request a session ends; those of programs do not.
        longest_ms: After how long it ends at the latest.
    """

    def __init__(self, access: Database, idle_ms: int = IDLE_MS, longest_ms: int = LONGEST_MS) -> None:
        self._db = access
        self._staff = Staff(access)
        self._table, self._links = table_of(access, "sessions"), table_of(access, "links")
        self._idle_ms, self._longest_ms = idle_ms, longest_ms

    def begin(
        self, person: Person, how: How, now_ms: int, lasts_ms: int | None = None, role: Role | None = None
    ) -> str:
        """Begin a session and return its secret, which is kept nowhere."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        ends_ms = now_ms + (self._longest_ms if lasts_ms is None else lasts_ms)
        with self._db.transaction():
            self._table.drop("ends_ms <= ?", (now_ms,))
            self._links.drop("ends_ms <= ?", (now_ms,))
            row = (digest_secret(secret), person.person_id, role or person.role, how, now_ms, now_ms, ends_ms)
            self._table.put([row])
            self._staff.note_sign_in(person.person_id, now_ms)
        return secret

    def find(self, secret: str, now_ms: int, note: bool = True) -> SignedIn | Ended:
        """Return who holds ``secret``, or why nobody does; with ``note`` the session counts as in use.

        What has ended is forgotten at once, so that no clock brings it back.
        """
        rows = self._table.some("WHERE digest = ?", (digest_secret(secret),))
        if not rows:
            return "unknown"
        session = _session(rows[0])
        person = self._staff.get(session.person_id)
        why = self._find_end(session, person, now_ms)
        if why is not None or person is None:
            self.end(session.digest)
            return why or "unknown"
        if note and now_ms - session.seen_ms >= _NOTED_MS:
            with self._db.transaction():
                # It may have been ended by now: then it stays so.
                if self._table.some("WHERE digest = ?", (session.digest,)):
                    session = msgspec.structs.replace(session, seen_ms=now_ms)
                    self._table.put([msgspec.structs.astuple(session)])
        return SignedIn(msgspec.structs.replace(person, role=session.role), session)

    def all(self) -> list[Session]:
        """Return every session that is kept, the latest first; some may have run out.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        return [_session(row) for row in self._table.all("made_ms DESC")]

    def end(self, digest: str) -> int:
        """End the session with this digest; return how many that were."""
        return self._table.drop("digest = ?", (digest,))

    def end_all(self, person_id: int, but: str = "") -> int:
        """End every session of somebody, but the one with the digest ``but``; return how many."""
        return self._table.drop("person_id = ? AND digest <> ?", (person_id, but))

    def make_link(self, person: Person, now_ms: int, lasts_ms: int = LINK_MS) -> str:
        """Return a secret that opens the pages once, soon, as ``person``."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self._links.put([(digest_secret(secret), person.person_id, now_ms, now_ms + lasts_ms)])
        return secret

    def take_link(self, secret: str, now_ms: int) -> Person | None:
        """Return whom ``secret`` lets in, once: it holds for nobody after this."""
        digest = digest_secret(secret)
        with self._db.transaction():
            rows = self._links.some("WHERE digest = ?", (digest,))
            self._links.drop("digest = ?", (digest,))
        if not rows:
            return None
        _, person_id, made_ms, ends_ms = (int(cell) if isinstance(cell, int) else 0 for cell in rows[0])
        return self._staff.get(person_id) if made_ms - SKEW_MS <= now_ms < ends_ms else None

    def _find_end(self, session: Session, person: Person | None, now_ms: int) -> Ended | None:
        if person is None:
            return "unknown"
        if now_ms < max(session.made_ms, session.seen_ms) - SKEW_MS:
            return "clock"
        idle = now_ms - session.seen_ms > self._idle_ms and session.how != "token"
        if now_ms >= session.ends_ms or idle:
            return "expired"
        return "changed" if person is not LOCAL and person.role != session.role else None


def digest_secret(secret: str) -> str:
    """Return what is kept of a secret: of 256 random bits a plain hash cannot be turned round."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _session(row: tuple[object, ...]) -> Session:
    return msgspec.convert(dict(zip(Session.__struct_fields__, row, strict=True)), Session)
