"""People: added, changed and removed in one transaction each, by several administrators at once, never the last one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError
from parcours.know import ROLES, Access, verify
from parcours.know.access.people import ADMINISTRATOR, Staff
from parcours.know.access.store import FILE, open_access
from parcours.progress import Silent
from parcours.settings import ProviderSettings, Settings, SignInSettings

PHRASE = "le train part à midi pile"


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """Accounts of which one manages access."""
    access = Access(tmp_path, Settings())
    access.add("cli", "Ada@Example.com", "it", (), None, 5)
    return access


def code_of(act: Callable[..., Any], *told: Any) -> str:
    """Return the code of what ``act`` raises, empty when it does not."""
    try:
        act(*told)
    except ParcoursError as fault:
        return fault.code
    return ""


def test_a_login_is_one_person_however_it_is_written(access: Access) -> None:
    assert access.staff.named(" ADA@example.com ").login == "ada@example.com"
    assert code_of(access.add, "cli", "ａda@EXAMPLE.com", "cco", (), None, 0) == "login_taken"
    for login in ("", "two words", "a\x00b", "local", "x" * 200, "<b>"):
        assert code_of(access.add, "cli", login, "cco", (), None, 0) == "bad_login"
    assert code_of(access.add, "cli", "bo", "boss", (), None, 0) == "unknown_role"
    assert code_of(access.staff.named, "nobody") == "unknown_person"


def test_a_number_is_never_given_twice(access: Access) -> None:
    bo = access.add("cli", "bo", "cco", (), None, 0)
    access.remove("cli", bo.person_id)
    assert access.add("cli", "bo", "cmo", (), None, 0).person_id > bo.person_id


def test_the_last_administrator_stays(access: Access) -> None:
    (ada,) = access.staff.all()
    assert code_of(access.remove, "cli", ada.person_id) == "last_administrator"
    assert code_of(access.change, "cli", ada.person_id, "cco") == "last_administrator"
    assert code_of(access.change, "cli", ada.person_id, "it", ("care",)) == ""
    bo = access.add("cli", "bo", "it", (), None, 0)
    access.change("cli", ada.person_id, "cco")
    assert code_of(access.remove, "cli", bo.person_id) == "last_administrator"


def test_two_administrators_who_remove_each_other_at_once(access: Access, tmp_path: Path) -> None:
    for turn in range(10):
        bo = access.add("cli", f"bo{turn}", "it", (), None, 0)
        ada = next(one for one in access.staff.all() if one.role == "it" and one.person_id != bo.person_id)
        codes: list[str] = []
        gate = threading.Barrier(2)

        def remove(person_id: int, gate: threading.Barrier = gate, codes: list[str] = codes) -> None:
            own = Access(tmp_path, Settings())  # another process has another connection
            gate.wait()
            codes.append(code_of(own.remove, "cli", person_id))
            own.close()

        both = [threading.Thread(target=remove, args=(one.person_id,)) for one in (ada, bo)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(codes) == ["", "last_administrator"]
        assert sum(one.role == ADMINISTRATOR for one in access.staff.all()) == 1


def test_two_administrators_who_change_one_person_at_once(access: Access) -> None:
    bo = access.add("cli", "bo", "cco", (), None, 0)
    access.change("person:1", bo.person_id, "cmo", (), bo.version)
    assert code_of(access.change, "person:2", bo.person_id, "cem", (), bo.version) == "changed_meanwhile"
    assert code_of(access.remove, "person:2", bo.person_id, bo.version) == "changed_meanwhile"
    assert access.staff.named("bo").role == "cmo"


def test_each_change_is_in_the_audit_log_under_numbers(access: Access) -> None:
    bo = access.add("person:1", "bo@example.com", "cco", (), PHRASE, 0)
    access.change("person:1", bo.person_id, "cmo")
    access.set_password("person:2", bo.person_id, PHRASE)
    access.remove("person:1", bo.person_id)
    entries = access.audit.read(actor="person:1") + access.audit.read(actor="person:2")
    assert {(one.action, one.thing) for one in entries} == {("manage_people", f"person:{bo.person_id}")}
    assert [one.reason for one in entries] == ["removed", "role cmo", "added as cco", "password set"]
    assert "bo@example.com" not in str(entries)


def test_a_removed_person_leaves_nothing_in_the_file(access: Access, tmp_path: Path) -> None:
    bo = access.add("cli", "bo.to.be.removed@example.com", "cco", (), PHRASE, 0)
    access.remove("cli", bo.person_id)
    held = b"".join(path.read_bytes() for path in (tmp_path / ".parcours").glob(f"{FILE}*"))
    assert b"bo.to.be.removed" not in held


def test_a_start_on_another_address_needs_somebody_who_can_sign_in(tmp_path: Path) -> None:
    access = Access(tmp_path, Settings())
    assert code_of(access.check_administrator) == "no_administrator"
    access.add("cli", "bo", "cco", (), PHRASE, 0)
    ada = access.add("cli", "ada", "it", (), None, 0)
    assert code_of(access.check_administrator) == "no_administrator"  # nothing to sign in with
    provider = ProviderSettings(issuer="https://login.example.com", client_id="parcours")
    assert code_of(Access(tmp_path, Settings(sign_in=SignInSettings(provider=provider))).check_administrator) == ""
    access.set_password("cli", ada.person_id, PHRASE)
    assert code_of(access.check_administrator) == ""


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE people SET role = 'it' WHERE login = 'bo'",
        "UPDATE people SET password = (SELECT password FROM people WHERE login = 'cy') WHERE login = 'bo'",
        "UPDATE sessions SET ends_ms = 9000000000000",
        "DELETE FROM people WHERE login = 'bo'",
        "UPDATE links SET person_id = 1",
    ],
)
def test_what_is_altered_in_the_file_is_named(access: Access, tmp_path: Path, harm: str) -> None:
    bo = access.add("cli", "bo", "cco", (), PHRASE, 0)
    access.add("cli", "cy", "cco", (), "ein ganz anderer Satz", 0)
    secret, link = access.sessions.begin(bo, "password", 5_000), access.sessions.make_link(bo, 5_000)
    database = open_database(tmp_path / ".parcours" / FILE)
    database.execute(harm)
    database.close()
    faults = verify(tmp_path, Settings(), Silent()).faults
    assert [fault.code for fault in faults if fault.level == "error"] == ["row_damaged"]
    acts = (
        access.staff.all,
        lambda: access.sessions.find(secret, 6_000),
        lambda: access.sessions.take_link(link, 6_000),
    )
    assert any(code_of(act) == "row_damaged" for act in acts)


class Administrators(RuleBasedStateMachine):
    """Whatever administrators do, in whatever order: there is always one, and what was refused changed nothing."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self._place = tempfile.TemporaryDirectory()
        self.staff = Staff(open_access(Path(self._place.name)))
        self.model = {self.staff.add("root", "it").person_id: "it"}

    def teardown(self) -> None:
        self._place.cleanup()

    @rule(login=st.sampled_from(["a", "b", "c"]), role=st.sampled_from(ROLES))
    def add(self, login: str, role: str) -> None:
        try:
            self.model[self.staff.add(login, role).person_id] = role
        except ParcoursError as fault:
            assert fault.code == "login_taken"  # noqa: PT017

    @rule(pick=st.integers(0, 9), role=st.sampled_from(ROLES), stale=st.booleans())
    def change(self, pick: int, role: str, stale: bool) -> None:
        id = sorted(self.model)[pick % len(self.model)]
        person = self.staff.get(id)
        assert person
        alone = [*self.model.values()].count("it") == 1 and person.role == "it" and role != "it"
        expected = "changed_meanwhile" if stale else "last_administrator" if alone else ""
        code = code_of(self.staff.change, id, role, (), person.version - stale)
        assert code == expected
        if not code:
            self.model[id] = role

    @rule(pick=st.integers(0, 9))
    def remove(self, pick: int) -> None:
        id = sorted(self.model)[pick % len(self.model)]
        alone = [*self.model.values()].count("it") == 1 and self.model[id] == "it"
        assert code_of(self.staff.remove, id) == ("last_administrator" if alone else "")
        if not alone:
            del self.model[id]

    @invariant()
    def somebody_manages_access(self) -> None:
        assert {one.person_id: one.role for one in self.staff.all()} == self.model
        assert "it" in self.model.values()


Administrators.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestAdministrators = Administrators.TestCase
