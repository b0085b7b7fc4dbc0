"""The one thing that pages change: quarantined events are put back into the journal, when a page of ours asks."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.words import Language
from parcours.workspaces.forms import RefusedError, read_form
from parcours.workspaces.readable import Readable, Replays
from parcours.workspaces.waiting import may_replay, prove_replayed


async def answer_replay(company: Readable, language: Language, request: Request) -> Response:
    """Replay what the form names, then show the page of sources, which says how many events that were.

    Raises:
        RefusedError: the form is not ours, is too old, or nothing can be replayed here.
        ParcoursError: the events wait on.
    """
    fields = await read_form(request)
    source, code, token = (fields.get(name, "") for name in ("source", "code", "token"))
    if not may_replay(token, source, code):
        raise RefusedError("error.old_form")
    if not isinstance(company, Replays):
        raise RefusedError("error.no_replay")
    count = await run_in_threadpool(company.replay, source or None, code or None)
    place = f"/{language}/sources?{urlencode(prove_replayed(count))}#said"
    return RedirectResponse(place, status_code=303, headers={"Cache-Control": "no-store"})
