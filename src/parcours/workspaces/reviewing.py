"""A decision about two identifiers, sent by the page of pairs: the same person, or not."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.know import Ruling
from parcours.words import Language
from parcours.workspaces.forms import RefusedError, read_checked
from parcours.workspaces.readable import Readable, Reviews
from parcours.workspaces.signing_in.asking import asker
from parcours.workspaces.signing_in.told import lead_back

FORM = "review"
_ANSWERS: dict[str, Ruling] = {"same": "approved", "not_same": "never_link"}
_PSEUDONYM = re.compile(r"[0-9a-f]{16}")


async def answer_review(company: Readable, language: Language, request: Request) -> Response:
    """Note what a person says of a pair, then show those that wait on.

    Raises:
        RefusedError: the form is not ours, is too old, or says neither.
        ParcoursError: the pair cannot be decided about.
    """
    fields = await read_checked(request, FORM, "one", "other")
    ruling, cause = _ANSWERS.get(fields.get("answer", "")), fields.get("cause", "").strip()
    pair = [int(fields[name], 16) for name in ("one", "other") if _PSEUDONYM.fullmatch(fields[name])]
    if ruling is None or len(pair) != 2 or not isinstance(company, Reviews):
        raise RefusedError("error.no_form")
    if not cause:
        return lead_back("review", "no_cause", language)
    await run_in_threadpool(company.decide, ruling, pair[0], pair[1], asker().actor, cause)
    return lead_back("review", ruling, language)
