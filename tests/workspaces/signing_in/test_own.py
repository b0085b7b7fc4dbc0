"""What somebody does with their own account, and with nobody else's: role, sessions, password, signing out."""

from __future__ import annotations

import time

from firm import Firm
from starlette.testclient import TestClient
from tests.signed_in import sign_in
from tests.workspaces.signing_in.conftest import PHRASE
from tests.workspaces.signing_in.test_signed_in import OURS

from parcours.know import Access, Caller, SignedIn
from parcours.workspaces.app import create_app
from parcours.workspaces.forms import sign
from parcours.workspaces.signing_in.asking import Asking, asked_by
from parcours.workspaces.signing_in.cookies import SESSION
from parcours.workspaces.signing_in.entrance import AT_ONCE_PERSON

AFTER = "quand la cloche sonne midi"


class Browser:
    """Somebody's browser, and the tokens of the forms that their account page would hold."""

    def __init__(self, firm: Firm, access: Access, login: str = "") -> None:
        now_ms = time.time_ns() // 1_000_000
        person = access.staff.named(login) if login else None
        cookies = {SESSION: access.sessions.begin(person, "password", now_ms)} if person else sign_in(firm.folder)
        found = access.sessions.find(cookies[SESSION], now_ms)
        assert isinstance(found, SignedIn)
        self.digest = found.session.digest
        self._asking = Asking(Caller(found.person.person_id, found.person.role), found, access)
        self.client = TestClient(create_app(firm), "http://127.0.0.1", follow_redirects=False, cookies=cookies)

    def send(self, act: str, form: str, *signed: str, **fields: str) -> tuple[int, str]:
        """Send a form with a token of its own; return the status and where it leads."""
        with asked_by(self._asking):
            told = {**fields, "token": sign(form, *signed)}
        answer = self.client.post(f"/en/account/{act}", data=told, headers=OURS)
        return answer.status_code, answer.headers.get("location", "")

    def is_in(self) -> bool:
        """Return whether it is signed in."""
        return self.client.get("/en/account").status_code == 200


def test_whoever_is_at_this_machine_chooses_a_role_and_nobody_else(own: Firm, access: Access) -> None:
    local, ada = Browser(own, access), Browser(own, access, "ada")
    assert ada.send("role", "account_role", "it", role="it")[0] == 403
    assert ada.is_in()
    assert ada.client.get("/en/people").status_code == 403
    assert local.send("role", "account_role", "it", role="it") == (303, "/en/account")
    assert local.client.get("/en/people").status_code == 200
    assert local.digest not in {session.digest for session in access.sessions.all()}  # the one before is over
    assert local.send("role", "account_role", "king", role="king")[0] == 403


def test_somebody_ends_another_session_of_their_own_and_nobody_elses(own: Firm, access: Access) -> None:
    access.add("cli", "bo", "cco", (), None, 0)
    here, there, bo = Browser(own, access, "ada"), Browser(own, access, "ada"), Browser(own, access, "bo")
    here.send("end", "account_end", bo.digest, session=bo.digest)
    assert bo.is_in()
    here.send("end", "account_end", there.digest, session=there.digest)
    assert not there.is_in()
    assert here.is_in()


def test_another_password_takes_the_one_before_and_ends_all_that_is_open(own: Firm, access: Access) -> None:
    here, there = Browser(own, access, "ada"), Browser(own, access, "ada")
    _, place = here.send("password", "account_password", before="wrong all along", after=AFTER)
    assert "done=wrong" in place
    assert access.staff.check_password("ada", PHRASE)
    _, place = here.send("password", "account_password", before=PHRASE, after=AFTER)
    assert "done=password" in place
    assert access.staff.check_password("ada", AFTER)
    assert (here.is_in(), there.is_in()) == (True, False)


def test_guessing_the_password_of_an_open_browser_is_slowed_down(own: Firm, access: Access) -> None:
    here = Browser(own, access, "ada")
    told = [
        here.send("password", "account_password", before="wrong all along", after=AFTER)[1]
        for _ in range(AT_ONCE_PERSON + 1)
    ]
    assert ["done=wait" in place for place in told] == [False] * AT_ONCE_PERSON + [True]


def test_signing_out_everywhere_ends_every_session(own: Firm, access: Access) -> None:
    here, there = Browser(own, access, "ada"), Browser(own, access, "ada")
    assert here.send("sign-out", "sign_out", "yes", everywhere="yes") == (303, "/en/sign-in?why=out")
    assert (here.is_in(), there.is_in()) == (False, False)
