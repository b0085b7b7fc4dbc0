"""How a test is signed in: a session begun in the company's own `access.db`, as a cookie or as a program's token."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from parcours.know import LOCAL, Access, Role
from parcours.settings import Settings
from parcours.workspaces.signing_in.cookies import SESSION


def sign_in(folder: Path, role: Role = "cco", port: int | None = None) -> dict[str, str]:
    """Begin a session in ``role`` and return its cookie, for pages that are served on ``port``."""
    name = SESSION if port is None else f"{SESSION}_{port}"
    return {name: begin_session(folder, role)}


def begin_session(folder: Path, role: Role = "cco") -> str:
    """Begin the session of whoever is at this machine, seeing the pages in ``role``, and return its secret."""
    access = Access(folder, Settings())
    secret = access.sessions.begin(LOCAL, "link", time.time_ns() // 1_000_000, role=role)
    access.close()
    return secret


def make_token(folder: Path, role: Role = "it") -> dict[str, str]:
    """Return the header with which a program asks in ``role``."""
    access = Access(folder, Settings())
    secret = access.sessions.begin(LOCAL, "token", time.time_ns() // 1_000_000, role=role)
    access.close()
    return {"Authorization": f"Bearer {secret}"}


def browser_cookie(address: str, folder: Path, role: Role = "cco") -> dict[str, Any]:
    """Return the cookie with which a real browser is signed in at ``address``."""
    (name, value), *_ = sign_in(folder, role, int(address.rpartition(":")[2])).items()
    return {"name": name, "value": value, "url": address, "httpOnly": True, "sameSite": "Lax"}
