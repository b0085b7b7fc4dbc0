"""Where somebody is led after signing in: a page of ours that they asked for, and never an address elsewhere."""

from __future__ import annotations

import re

from starlette.requests import Request

from parcours.words import LANGUAGES

_LONGEST = 512
_PLACE = re.compile(rf"/(?:{'|'.join(LANGUAGES)})/[A-Za-z0-9_.~/-]*(?:\?[A-Za-z0-9_.~%=&:+-]*)?", re.ASCII)


def name_place(request: Request) -> str:
    """Return the page that was asked for, to come back to."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def is_place(text: str) -> bool:
    """Return whether ``text`` is the address of a page of ours: a path under a language, and nothing else."""
    return len(text) <= _LONGEST and _PLACE.fullmatch(text) is not None and "//" not in text and "/." not in text


def find_place(text: str) -> str:
    """Return ``text`` where it is a page of ours to go back to, else nothing."""
    leads_back = text.startswith(tuple(f"/{one}/sign-" for one in LANGUAGES))
    return text if is_place(text) and not leads_back else ""
