"""The one route table: addresses, the query that reads what each page shows, and the action that it takes."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from parcours.know import Action, Thing
from parcours.words import Language
from parcours.workspaces.finding import answer_find
from parcours.workspaces.pages.account import read_account
from parcours.workspaces.pages.consent import read_consent
from parcours.workspaces.pages.customer import read_customer, read_search
from parcours.workspaces.pages.journey import read_journey
from parcours.workspaces.pages.linking import read_linking
from parcours.workspaces.pages.map import read_map
from parcours.workspaces.pages.measure import read_measure
from parcours.workspaces.pages.measures import read_measures
from parcours.workspaces.pages.patterns import read_patterns
from parcours.workspaces.pages.people import read_people
from parcours.workspaces.pages.permission import read_permission
from parcours.workspaces.pages.review import read_review
from parcours.workspaces.pages.sources import read_sources
from parcours.workspaces.pages.touchpoint import read_touchpoint
from parcours.workspaces.readable import Readable
from parcours.workspaces.reasons import answer_look, answer_unmask
from parcours.workspaces.recording import answer_choice
from parcours.workspaces.replaying import answer_replay
from parcours.workspaces.reviewing import answer_review
from parcours.workspaces.signing_in.managing import (
    answer_add,
    answer_change,
    answer_end_session,
    answer_make_key,
    answer_remove,
    answer_revoke_key,
    answer_set_password,
)
from parcours.workspaces.signing_in.own import answer_end, answer_password, answer_role, answer_sign_out
from parcours.workspaces.things import FindThing, find_map, find_measure, find_profile, find_touchpoint, find_whole

Query = Callable[..., msgspec.Struct]
Answer = Callable[[Readable, Language, Request], Awaitable[Response]]


class Page(NamedTuple):
    """A page: its address under the language, its query, and the query parameters it understands.

    ``action`` is what its reader must be allowed to do, ``actions`` something else for some ids, and ``thing`` finds
    what it is done to. ``longest_s`` is how long it may be kept; ``forms`` says that it has forms, which its policy
    must let through, ``personal`` that it tells of persons, so that nobody keeps it.
    """

    path: str
    query: Query
    action: Action
    parameters: tuple[str, ...] = ()
    longest_s: float = math.inf
    forms: bool = False
    actions: Mapping[str, Action] = {}
    thing: FindThing | None = None
    personal: bool = False

    def asks(self, path: Mapping[str, str]) -> Action:
        """Return the action that the page at these parts of its address takes."""
        return self.actions.get(path.get("id", ""), self.action)

    def find_thing(self, company: Readable, path: Mapping[str, str]) -> Thing | None:
        """Return what the page shows, for a decision; none where it is nobody's own."""
        return self.thing(company, path) if self.thing else None

    def read(self, company: Any, language: str, path: dict[str, str], query: dict[str, str]) -> msgspec.Struct:
        """Read the page's record; parameters it does not know are ignored."""
        known = {name: query[name] for name in self.parameters if query.get(name)}
        return self.query(company, language, **path, **known)


class Form(NamedTuple):
    """What a form of a page is sent to: its address under the language, what answers, and what somebody does by it.

    Opening the address leads to ``page``. That somebody is signed in, may do ``action``, and sent the form from a page
    of ours is certain before ``answer`` is called; it reads the fields and checks their token (`forms.read_checked`).
    Where a decision needs to know what it is done to, the answer asks for one by itself (`guard.insist`).
    """

    path: str
    answer: Answer
    action: Action
    page: str


PAGES: tuple[Page, ...] = (
    Page("map", read_map, "see_results", thing=find_map),
    Page("touchpoint/{id}", read_touchpoint, "see_results", thing=find_touchpoint),
    Page("journey", read_journey, "see_results", thing=find_map),
    Page("measures", read_measures, "see_methods"),
    Page("measure/{id}", read_measure, "see_results", ("by",), actions={"stakes": "see_value"}, thing=find_measure),
    Page("consent", read_consent, "see_consent", longest_s=30.0, thing=find_whole),
    Page("sources", read_sources, "see_health", ("put_back", "proof"), longest_s=1.0, forms=True),
    Page("review", read_review, "settle_merge", ("done", "proof"), forms=True, personal=True),
    Page("customer", read_search, "see_customer", ("done", "proof"), forms=True, personal=True),
    Page(
        "customer/{id}", read_customer, "see_customer", ("done", "proof"), forms=True, thing=find_profile, personal=True
    ),
    Page("linking", read_linking, "see_methods"),
    Page("patterns", read_patterns, "see_methods"),
    Page("permission", read_permission, "see_permissions", ("role", "action", "thing", "team"), forms=True),
    Page(
        "people",
        read_people,
        "see_audit",
        ("done", "proof", "actor", "did", "outcome", "days", "before"),
        forms=True,
        personal=True,
    ),
    Page("account", read_account, "sign_in", ("done", "proof"), forms=True, personal=True),
)
FORMS: tuple[Form, ...] = (
    Form("sources/replay", answer_replay, "put_back", "sources"),
    Form("customer/find", answer_find, "see_customer", "customer"),
    Form("customer/choice", answer_choice, "record_choice", "customer"),
    Form("review/decide", answer_review, "settle_merge", "review"),
    Form("account/sign-out", answer_sign_out, "sign_in", "account"),
    Form("account/end", answer_end, "sign_in", "account"),
    Form("account/password", answer_password, "sign_in", "account"),
    Form("reason/see_customer", answer_look, "see_customer", "account"),
    Form("reason/unmask", answer_unmask, "unmask", "account"),
    Form("account/role", answer_role, "sign_in", "account"),
    Form("people/add", answer_add, "manage_people", "people"),
    Form("people/change", answer_change, "manage_people", "people"),
    Form("people/remove", answer_remove, "manage_people", "people"),
    Form("people/password", answer_set_password, "manage_people", "people"),
    Form("people/end", answer_end_session, "manage_people", "people"),
    Form("people/key", answer_make_key, "manage_keys", "people"),
    Form("people/revoke", answer_revoke_key, "manage_keys", "people"),
)
