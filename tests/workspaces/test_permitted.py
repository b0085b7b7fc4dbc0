"""Every route × every role × what it is done to: each answer is what the table of permissions says."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from firm import Firm
from markupsafe import escape
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tests.know.access.test_permissions import agreed

from parcours.know import ACTIONS, LOCAL, ROLES, Access, Caller, Role, decide
from parcours.measure import measure_named
from parcours.measure.sight import list_offered
from parcours.settings import Settings
from parcours.workspaces.app import create_app
from parcours.workspaces.live import LiveState
from parcours.workspaces.routes import FORMS, PAGES, Form, Page
from parcours.workspaces.signing_in.cookies import SESSION
from parcours.workspaces.signing_in.guard import GuardedRoute
from parcours.workspaces.things import find_map, find_profile, find_whole

OURS = {"origin": "http://127.0.0.1", "content-type": "application/x-www-form-urlencoded"}
SCOPES: dict[Role, tuple[str, ...]] = {"cem": ("logistics",), "csm": ("segment:loyal",), "sales": ("segment:loyal",)}
KNOWN = {"map", "journey", "measures", "sources", "patterns", "account", "touchpoint/{id}", "measure/{id}"}
"""Pages that are there whatever they are asked."""

OPEN = {"/", "/open", "/fr/", "/en/", "/fr/sign-in", "/en/sign-in"}
"""What anybody may ask for; all that lies under /static/ too."""


class Feed:
    """Nothing comes in."""

    def snapshot(self) -> LiveState:
        return LiveState()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A firm with people of every role."""
    return Firm(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def app(own: Firm) -> Starlette:
    return create_app(own, feed=Feed())


@pytest.fixture(scope="module")
def people(own: Firm) -> Iterator[dict[Role, dict[str, str]]]:
    """The cookie of somebody of each role, with a scope where the role takes one."""
    access, now_ms = Access(own.folder, Settings()), time.time_ns() // 1_000_000
    cookies = {}
    for role in ROLES:
        person = access.add("cli", role, role, SCOPES.get(role, ()), None, now_ms)
        cookies[role] = {SESSION: access.sessions.begin(person, "token", now_ms, role=role)}
    yield cookies
    access.close()


def caller(role: Role) -> Caller:
    return Caller(1, role, SCOPES.get(role, ()))


def open_as(app: Starlette, people: dict[Role, dict[str, str]], role: Role) -> TestClient:
    # A program's token is asked for in a header, a browser's session in a cookie.
    secret = people[role][SESSION]
    return TestClient(app, "http://127.0.0.1", follow_redirects=False, headers={"Authorization": f"Bearer {secret}"})


def routes_of(app: Starlette) -> list[GuardedRoute]:
    assert all(isinstance(route, GuardedRoute) for route in app.routes)
    return [route for route in app.routes if isinstance(route, GuardedRoute)]


def test_every_route_names_an_action_but_the_few_that_are_open(app: Starlette) -> None:
    routes = routes_of(app)
    assert len(routes) > 2 * (len(PAGES) + len(FORMS))
    for route in routes:
        if route.action is None:
            assert route.path in OPEN or route.path.startswith("/static/"), route.path
        else:
            assert route.action in ACTIONS, route.path
    assert {page.action for page in PAGES} | {form.action for form in FORMS} <= set(ACTIONS)


def ids_of(page: Page, firm: Firm) -> list[str]:
    """Return what a page can be asked about: every touchpoint, every measure, or one id that stands for any."""
    if page.path.startswith("touchpoint/"):
        return [touchpoint.id for touchpoint in firm.blueprint.touchpoints]
    if page.path.startswith("measure/"):
        return ["experience", "journey", "transitions", "causes", "stakes", "promises"]
    return ["0000000000000001"] if "{id}" in page.path else [""]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_each_page_opens_to_the_roles_of_the_table(
    app: Starlette, own: Firm, people: dict[Role, dict[str, str]], page: Page, role: Role
) -> None:
    with open_as(app, people, role) as client:
        for id in ids_of(page, own):
            action = page.actions.get(id, page.action)
            allowed = (role, action) in agreed()
            if "own" in agreed().get((role, action), "").split(", ") and page.path == "touchpoint/{id}":
                owner = next(one.owner for one in own.blueprint.touchpoints if one.id == id)
                allowed = role == "cem" and owner in SCOPES["cem"]
            answer = client.get(f"/en/{page.path.replace('{id}', id)}")
            if page.thing is find_map and role in ("csm", "sales"):
                # Accounts are no part of a map: their measures are split by them.
                allowed = False
            if page.thing in (find_whole, find_profile) and "own" in agreed().get((role, action), "").split(", "):
                allowed = False
            if page.path.startswith("measure/"):
                # Whoever sees their own accounts alone is shown what is split by them.
                allowed = bool(list_offered(measure_named(id), own.blueprint, caller(role)))
            # A person, a request or the like need not be there: whoever may look is told so.
            expected = {200, 303, 404} if page.path not in KNOWN else {200}
            assert answer.status_code in (expected if allowed else {403}), id
            decision = decide(caller(role), action, page.find_thing(own, {"id": id}))
            assert decision.allowed or escape(decision.remedy.en) in answer.text


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_each_form_is_taken_from_the_roles_of_the_table(
    app: Starlette, people: dict[Role, dict[str, str]], form: Form, role: Role
) -> None:
    path, action = form.path, form.action
    with open_as(app, people, role) as client:
        answer = client.post(f"/en/{path}", content="token=", headers=OURS)
    # A form without its token is refused to everybody; who may not use it is told so instead.
    if (role, action) in agreed():
        assert answer.status_code in (303, 403, 404, 422)
        assert "The table does not let" not in answer.text
    else:
        assert answer.status_code == 403
        assert "The table does not let" in answer.text


def test_a_refusal_is_in_the_audit_log_before_it_is_answered(
    app: Starlette, own: Firm, people: dict[Role, dict[str, str]]
) -> None:
    access = Access(own.folder, Settings())
    before = access.audit.read(limit=1)[0].entry_no
    with open_as(app, people, "it") as client:
        assert client.get("/en/map").status_code == 403
    entry = access.audit.read(limit=1)[0]
    assert (entry.entry_no, entry.action, entry.outcome) == (before + 1, "see_results", "refused")
    access.close()


def test_without_being_known_nothing_but_what_is_open_answers(app: Starlette) -> None:
    client = TestClient(app, "http://127.0.0.1", follow_redirects=False)
    for route in routes_of(app):
        if route.action is not None and "GET" in (route.methods or ()):
            answer = client.get(route.path.replace("{id}", "delivery"))
            assert (answer.status_code, answer.content) == (303, b""), route.path


def test_whoever_is_at_this_machine_is_bound_by_the_role_they_chose(app: Starlette, own: Firm) -> None:
    assert LOCAL.role == "cco"
    access = Access(own.folder, Settings())
    secret = access.sessions.begin(LOCAL, "token", time.time_ns() // 1_000_000, role="finance")
    access.close()
    with TestClient(app, "http://127.0.0.1", headers={"Authorization": f"Bearer {secret}"}) as client:
        assert client.get("/en/map").status_code == 403
        assert client.get("/en/measure/stakes").status_code == 200


def test_the_pages_show_a_cem_their_own_and_say_what_is_not(app: Starlette, people: dict[Role, dict[str, str]]) -> None:
    with open_as(app, people, "cem") as client:
        text = client.get("/en/map").text
        assert "another team" in text
        assert "You see what is yours" in text
        assert "d’une autre équipe" in client.get("/fr/map").text


def test_the_pages_show_a_dpo_counts_alone(app: Starlette, people: dict[Role, dict[str, str]]) -> None:
    with open_as(app, people, "dpo") as client:
        for place in ("map", "touchpoint/delivery", "measure/experience", "journey"):
            text = client.get(f"/en/{place}").text
            assert "counts alone" in text, place
        assert "No score is shown to your role" in client.get("/en/map").text
        assert "Promises broken" not in client.get("/en/map").text
        assert "counts only" in client.get("/en/touchpoint/delivery").text


def test_a_page_or_form_without_an_action_cannot_be_written() -> None:
    assert "action" not in Page._field_defaults
    assert "action" not in Form._field_defaults


@pytest.mark.parametrize("role", ROLES)
def test_every_link_that_a_role_is_offered_opens(
    app: Starlette, people: dict[Role, dict[str, str]], role: Role
) -> None:
    with open_as(app, people, role) as client:
        text = client.get("/en/permission").text
        links = re.findall(r'<li><a href="(/en/[a-z]+)"', text)
        assert "/en/measures" in links
        for link in {*links, re.findall(r'class="brand" href="([^"]+)"', text)[0]}:
            assert client.get(link).status_code == 200, link
