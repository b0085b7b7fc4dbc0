"""The accounts of one company: who may sign in, who is, and which keys may send; each change is in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

from parcours.collect.source import Source
from parcours.collect.write_keys import ENDING, KeptKey, Terms, list_write_keys, make_write_key, revoke_write_key
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.access.actions import Action
from parcours.know.access.people import ADMINISTRATOR, Person, Staff
from parcours.know.access.sessions import How, Sessions
from parcours.know.access.store import open_access
from parcours.know.audit.log import Audit
from parcours.know.keys import open_keys
from parcours.settings import Settings
from parcours.words import Words


class Access:
    """The people and sessions of a company folder; opened when they are first asked for.

    Every change names its ``actor``, as the audit log does: ``person:3``, ``local`` or ``cli``.

    Args:
        folder: The company folder.
        settings: Where its keys are, after how long sessions end, and who else signs people in.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._turn = Lock()

    @cached_property
    def _database(self) -> Database:
        return open_access(self._folder)

    @cached_property
    def staff(self) -> Staff:
        """The people who may sign in."""
        return Staff(self._database)

    @cached_property
    def sessions(self) -> Sessions:
        """Who is signed in."""
        told = self._settings.sign_in
        return Sessions(self._database, told.idle_minutes * 60_000, told.longest_hours * 3_600_000)

    @property
    def audit(self) -> Audit:
        """What was done, by whom and why."""
        with self._turn:
            return self._audit

    @cached_property
    def _audit(self) -> Audit:
        keys, _ = open_keys(self._folder, self._settings)
        return Audit(self._folder, keys)

    def add(self, actor: str, login: str, role: str, scope: Sequence[str], password: str | None, now_ms: int) -> Person:
        """Let somebody sign in (see `Staff.add`)."""
        with self._database.transaction():
            person = self.staff.add(login, role, scope, password, now_ms)
            self._note(actor, person.person_id, f"added as {role}")
        return person

    def change(
        self, actor: str, person_id: int, role: str, scope: Sequence[str] = (), version: int | None = None
    ) -> Person:
        """Give somebody another role or scope, and end what they have open (see `Staff.change`)."""
        with self._database.transaction():
            person = self.staff.change(person_id, role, scope, version)
            self.sessions.end_all(person_id)
            self._note(actor, person_id, f"role {role}")
        return person

    def remove(self, actor: str, person_id: int, version: int | None = None) -> None:
        """Let somebody sign in no longer, from this moment on (see `Staff.remove`)."""
        with self._database.transaction():
            self.staff.remove(person_id, version)
            self.sessions.end_all(person_id)
            self._note(actor, person_id, "removed")
        self._database.truncate_log()

    def set_password(self, actor: str, person_id: int, password: str, but: str = "") -> None:
        """Give somebody a password, and end their sessions but the one with the digest ``but``."""
        with self._database.transaction():
            self.staff.set_password(person_id, password)
            self.sessions.end_all(person_id, but)
            self._note(actor, person_id, "password set")

    def end(self, actor: str, digest: str, of: int | None = None) -> None:
        """End one session; with ``of`` only if it is that person's."""
        with self._database.transaction():
            for session in self.sessions.all():
                if session.digest == digest and of in (None, session.person_id):
                    self.sessions.end(digest)
                    self._note(actor, session.person_id, "session ended")

    def make_key(self, actor: str, source: Source, terms: Terms | None = None) -> str:
        """Make a write key of ``source`` and return it; it is kept nowhere (see `make_write_key`)."""
        key = make_write_key(self._folder, source, terms)
        self.audit.note(actor, "manage_keys", "key", f"{source.source}/{key[-ENDING:]}", "done", "made")
        return key

    def revoke_key(self, actor: str, source: str, ending: str) -> None:
        """Revoke a write key (see `revoke_write_key`)."""
        revoke_write_key(self._folder, source, ending)
        self.audit.note(actor, "manage_keys", "key", f"{source}/{ending}", "done", "revoked")

    def write_keys(self) -> list[KeptKey]:
        """Return every write key, as it is kept."""
        return list_write_keys(self._folder)

    def note_refusal(self, actor: str, action: Action, place: str) -> None:
        """Note that somebody was refused an action at an address of the pages."""
        self.audit.note(actor, action, "page", place, "refused")

    def note_sign_in(self, person_id: int, how: How) -> None:
        """Note that somebody signed in."""
        self.audit.note(name_actor(person_id), "sign_in", "session", how, "done")

    def check_administrator(self) -> None:
        """Do nothing if there is somebody who manages access and can sign in.

        Raises:
            ParcoursError: ``no_administrator``.
        """
        by_provider = self._settings.sign_in.provider is not None
        if not any(one.role == ADMINISTRATOR and (one.has_password or by_provider) for one in self.staff.all()):
            raise _no_administrator(self._folder)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _note(self, actor: str, person_id: int, what: str) -> None:
        self.audit.note(actor, "manage_people", "person", name_actor(person_id), "done", what)


def name_actor(person_id: int) -> str:
    """Return how the audit log names a person: by their number, which outlasts them."""
    return f"person:{person_id}" if person_id else "local"


def _no_administrator(folder: Path) -> ParcoursError:
    return ParcoursError(
        "no_administrator",
        Words(
            fr="Cette adresse s'ouvre à d'autres machines, et nul ne peut encore s'y connecter pour gérer les accès.",
            en="This address is open to other machines, and nobody can sign in there yet to manage access.",
        ),
        Words(
            fr=f"Ajoutez d'abord quelqu'un : parcours people {folder} add LOGIN --role it",
            en=f"Add somebody first: parcours people {folder} add LOGIN --role it",
        ),
    )
