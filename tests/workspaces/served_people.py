"""Pages with somebody of every role signed in: as a browser, or as whoever asks inside a test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.testclient import TestClient

from parcours.know import ROLES, Access, Caller, Role, SignedIn, Thing
from parcours.settings import Settings
from parcours.workspaces.app import create_app
from parcours.workspaces.signing_in.asking import Asking, asked_by
from parcours.workspaces.signing_in.cookies import SESSION
from parcours.workspaces.things import find_thing

SCOPES: dict[Role, tuple[str, ...]] = {"cem": ("logistics",), "csm": ("segment:loyal",), "sales": ("segment:loyal",)}


class Served(NamedTuple):
    """The pages of a company, and the people who may open them."""

    company: Any
    app: Starlette
    access: Access
    secrets: dict[Role, str]
    ours: dict[str, str]

    def client(self, role: Role) -> TestClient:
        """Return the browser of somebody of this role."""
        cookies = {SESSION: self.secrets[role]}
        return TestClient(self.app, "http://127.0.0.1", follow_redirects=False, cookies=cookies)

    def find(self, kind: str, id: str) -> Thing:
        """Return a thing as a decision needs to know it."""
        return find_thing(self.company, kind, id)

    @contextmanager
    def asking(self, role: Role) -> Iterator[None]:
        """Let somebody of this role ask inside."""
        found = self.access.sessions.find(self.secrets[role], time.time_ns() // 1_000_000)
        assert isinstance(found, SignedIn)
        caller = Caller(found.person.person_id, role, SCOPES.get(role, ()))
        with asked_by(Asking(caller, found, self.access)):
            yield

    def close(self) -> None:
        """Close the accounts."""
        self.access.close()


def serve_people(company: Any) -> Served:
    """Return the pages of ``company`` with somebody of every role signed in."""
    access, now_ms = Access(company.folder, Settings()), time.time_ns() // 1_000_000
    secrets = {}
    for role in ROLES:
        person = access.add("cli", role, role, SCOPES.get(role, ()), None, now_ms)
        secrets[role] = access.sessions.begin(person, "password", now_ms, role=role)
    return Served(company, create_app(company), access, secrets, {"origin": "http://127.0.0.1"})
