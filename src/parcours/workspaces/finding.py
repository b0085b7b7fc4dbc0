"""A customer who is looked for by an identifier: the form sends it, and the address that follows holds a profile."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.words import Language
from parcours.workspaces.forms import RefusedError, read_checked
from parcours.workspaces.readable import Portrays, Readable
from parcours.workspaces.signing_in.told import lead_back

FORM = "find_customer"
KINDS = ("user", "mail", "phone", "device")
_LONGEST = 255


async def answer_find(company: Readable, language: Language, request: Request) -> Response:
    """Lead to the customer who has an identifier; who has it is told to whoever may see that customer alone.

    Raises:
        RefusedError: The form is not ours, or too old.
    """
    fields = await read_checked(request, FORM)
    kind, value = fields.get("kind", ""), fields.get("identifier", "").strip()
    if kind not in KINDS or not isinstance(company, Portrays):
        raise RefusedError("error.no_form")
    if not value or len(value) > _LONGEST:
        return lead_back("customer", "nobody", language)
    found = await run_in_threadpool(company.find_profiles, f"{kind}:{value}")
    if not found:
        return lead_back("customer", "nobody", language)
    return RedirectResponse(f"/{language}/customer/{found[0]}", 303, {"Cache-Control": "no-store"})
