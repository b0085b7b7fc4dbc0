"""What a customer chose and told somebody: a form on their page records it in the ledger, for a purpose, with how."""

from __future__ import annotations

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.know import Thing
from parcours.words import Language, Words
from parcours.workspaces.forms import RefusedError, read_checked, sign
from parcours.workspaces.readable import Readable, Records
from parcours.workspaces.reasons import write_reason
from parcours.workspaces.signing_in.asking import asker, may_do
from parcours.workspaces.signing_in.guard import insist
from parcours.workspaces.signing_in.told import lead_back
from parcours.workspaces.things import find_thing

FORM = "record_choice"
PLACE = "customer/choice"
ANSWERS = {"granted": True, "refused": False}
WAYS: dict[str, Words] = {
    "call": Words(fr="au téléphone", en="on the telephone"),
    "meeting": Words(fr="de vive voix, en face", en="in person"),
    "mail": Words(fr="par e-mail ou message", en="by e-mail or message"),
    "letter": Words(fr="par courrier", en="by letter"),
}
"""How a customer told it; a reference says which call or letter, and nothing is told freely."""


class ChoiceForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form: where it is sent to, whose choice it is, the purposes, and the ways of telling."""

    place: str
    profile: str
    token: str
    purposes: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str], ...]


def ask_choice(company: Readable, thing: Thing, language: Language) -> ChoiceForm | None:
    """Return the form for one customer; nothing for whoever may record nothing for them."""
    if not may_do("record_choice", thing):
        return None
    return ChoiceForm(
        place=PLACE,
        profile=thing.id,
        token=sign(FORM, thing.id),
        purposes=tuple((one.id, one.label.in_language(language)) for one in company.blueprint.purposes),
        ways=tuple((code, words.in_language(language)) for code, words in WAYS.items()),
    )


async def answer_choice(company: Readable, language: Language, request: Request) -> Response:
    """Record what a customer chose, and lead back to their page.

    Raises:
        RefusedError: The form is not ours, or does not say what was chosen and how it was told.
        ForbiddenError: Whoever asks may record nothing for this customer.
        ParcoursError: Nothing was recorded; the page says why.
    """
    fields = await read_checked(request, FORM, "profile")
    granted, purpose = ANSWERS.get(fields.get("answer", "")), fields.get("purpose", "")
    if granted is None or not isinstance(company, Records):
        raise RefusedError("error.no_form")
    said = write_reason(fields.get("way", ""), fields.get("reference", ""), WAYS)
    thing = await run_in_threadpool(find_thing, company, "profile", fields["profile"])
    await run_in_threadpool(insist, "record_choice", thing, PLACE)
    await run_in_threadpool(company.record_choice, thing.id, purpose, granted, asker().actor, said)
    return lead_back(f"customer/{thing.id}", "granted" if granted else "refused", language)
