"""What a form has just done, told once by the page that it leads to, and by nobody else's address."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from parcours.words import Language
from parcours.workspaces.forms import check, sign
from parcours.workspaces.wording import Say

TOLD_S = 10 * 60
"""How long an address that says what was done may say so."""


def lead_back(page: str, done: str, language: Language) -> Response:
    """Return the way back to ``page``, which says what was ``done`` (a key of its words)."""
    query = urlencode({"done": done, "proof": sign("done", page, done)})
    return RedirectResponse(f"/{language}/{page}?{query}#said", 303, {"Cache-Control": "no-store"})


def say_told(page: str, done: str, proof: str, language: Language, words: str = "") -> str:
    """Say what was done, in the ``words`` of the page; nothing unless it has just been proven."""
    if not done or not check(proof, "done", page, done, valid_s=TOLD_S):
        return ""
    say, key = Say(language), f"{words or page}.done_{done}"
    return say(key) if say.has(key) else say("error.inside")


def is_fault(done: str) -> bool:
    """Return whether that could not be done."""
    return done.startswith("not_")
