"""Sessions: random, kept as digests, ended by idleness, age, the clock, a change of role; links open once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.know import LOCAL, Access, Sessions, SignedIn
from parcours.know.access.sessions import IDLE_MS, LINK_MS, LONGEST_MS, SKEW_MS
from parcours.know.access.store import FILE, open_access
from parcours.settings import Settings

NOW = 1_790_000_000_000
DAY_MS = 86_400_000
MINUTE_MS = 60_000


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """Accounts of two people."""
    access = Access(tmp_path, Settings())
    access.add("cli", "ada", "it", (), None, NOW)
    access.add("cli", "bo", "cco", (), None, NOW)
    return access


def holds(access: Access, secret: str, now_ms: int) -> bool:
    return isinstance(access.sessions.find(secret, now_ms), SignedIn)


def test_a_secret_is_kept_nowhere(access: Access, tmp_path: Path) -> None:
    bo = access.staff.named("bo")
    secrets = {access.sessions.begin(bo, "password", NOW) for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {43}
    link = access.sessions.make_link(bo, NOW)
    held = b"".join(path.read_bytes() for path in (tmp_path / ".parcours").glob(f"{FILE}*"))
    assert not [secret for secret in (*secrets, link) if secret.encode() in held]


def test_a_session_ends_when_it_is_idle_or_old(access: Access) -> None:
    bo = access.staff.named("bo")
    secret = access.sessions.begin(bo, "password", NOW)
    assert holds(access, secret, NOW + IDLE_MS)
    assert access.sessions.find(secret, NOW + 2 * IDLE_MS + 1) == "expired"
    used = access.sessions.begin(bo, "password", NOW)
    for at in range(NOW, NOW + LONGEST_MS, IDLE_MS // 2):
        assert holds(access, used, at)
    assert access.sessions.find(used, NOW + LONGEST_MS) == "expired"
    watched = access.sessions.begin(bo, "password", NOW)
    for at in range(NOW, NOW + IDLE_MS + 1, MINUTE_MS):
        assert isinstance(access.sessions.find(watched, at, note=False), SignedIn)
    assert access.sessions.find(watched, NOW + IDLE_MS + 1, note=False) == "expired"


def test_what_has_ended_does_not_come_back_with_the_clock(access: Access) -> None:
    secret = access.sessions.begin(access.staff.named("bo"), "password", NOW)
    assert access.sessions.find(secret, NOW + DAY_MS) == "expired"
    assert access.sessions.find(secret, NOW) == "unknown"


def test_a_clock_that_went_back_a_day_ends_sessions_and_links(access: Access) -> None:
    bo = access.staff.named("bo")
    secret, token = (access.sessions.begin(bo, how, NOW) for how in ("password", "token"))
    link = access.sessions.make_link(bo, NOW)
    assert holds(access, secret, NOW - SKEW_MS)
    assert access.sessions.find(secret, NOW - DAY_MS) == "clock"
    assert access.sessions.find(token, NOW - DAY_MS) == "clock"
    assert access.sessions.take_link(link, NOW - DAY_MS) is None
    assert not holds(access, secret, NOW)


def test_a_program_is_never_idle_and_ends_all_the_same(access: Access) -> None:
    token = access.sessions.begin(access.staff.named("bo"), "token", NOW, 30 * DAY_MS)
    assert holds(access, token, NOW + 29 * DAY_MS)
    assert access.sessions.find(token, NOW + 30 * DAY_MS) == "expired"


def test_a_change_of_role_and_a_removal_end_what_is_open(access: Access) -> None:
    bo = access.staff.named("bo")
    secret = access.sessions.begin(bo, "password", NOW)
    access.staff.change(bo.person_id, "cmo")  # even where nobody ended it
    assert access.sessions.find(secret, NOW) == "changed"
    other = access.sessions.begin(access.staff.named("bo"), "password", NOW)
    access.staff.remove(bo.person_id)
    assert access.sessions.find(other, NOW) == "unknown"


def test_everywhere_is_everywhere_but_here(access: Access) -> None:
    ada, bo = access.staff.all()
    here, there, hers = (access.sessions.begin(one, "password", NOW) for one in (bo, bo, ada))
    found = access.sessions.find(here, NOW)
    assert isinstance(found, SignedIn)
    assert access.sessions.end_all(bo.person_id, found.session.digest) == 1
    assert [holds(access, secret, NOW) for secret in (here, there, hers)] == [True, False, True]


def test_a_link_opens_once_and_soon(access: Access) -> None:
    link = access.sessions.make_link(LOCAL, NOW)
    assert access.sessions.take_link(link, NOW) is LOCAL
    assert access.sessions.take_link(link, NOW) is None
    late = access.sessions.make_link(LOCAL, NOW)
    assert access.sessions.take_link(late, NOW + LINK_MS) is None
    assert access.sessions.take_link(late, NOW) is None  # it was tried


def test_a_link_opens_once_however_many_try_at_once(access: Access, tmp_path: Path) -> None:
    link = access.sessions.make_link(LOCAL, NOW)
    taken: list[bool] = []
    gate = threading.Barrier(6)

    def take() -> None:
        sessions = Sessions(open_access(tmp_path))
        gate.wait()
        taken.append(sessions.take_link(link, NOW) is not None)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]


def test_a_session_that_was_ended_meanwhile_is_not_written_again(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    bo = access.staff.named("bo")
    secret = access.sessions.begin(bo, "password", NOW)
    get = access.sessions._staff.get

    def end_then_get(person_id: int) -> object:
        access.sessions.end_all(bo.person_id)  # somebody else, between the look-up and the note
        return get(person_id)

    monkeypatch.setattr(access.sessions._staff, "get", end_then_get)
    access.sessions.find(secret, NOW + 10 * MINUTE_MS)
    monkeypatch.undo()
    assert not holds(access, secret, NOW + 10 * MINUTE_MS)


def test_whoever_is_at_this_machine_may_be_seen_as_any_role(access: Access) -> None:
    found = access.sessions.find(access.sessions.begin(LOCAL, "link", NOW, role="dpo"), NOW)
    assert isinstance(found, SignedIn)
    assert (found.person.person_id, found.person.role) == (0, "dpo")


def test_old_sessions_are_forgotten_when_one_begins(access: Access) -> None:
    bo = access.staff.named("bo")
    for _ in range(5):
        access.sessions.begin(bo, "password", NOW)
    access.sessions.begin(bo, "password", NOW + LONGEST_MS)
    assert len(access.sessions.all()) == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=80), st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))), st.integers())
def test_no_other_text_is_a_session_or_a_link(access: Access, secret: str, now_ms: int) -> None:
    access.sessions.begin(LOCAL, "link", NOW)
    assert access.sessions.find(secret, now_ms) == "unknown"
    assert access.sessions.take_link(secret, now_ms) is None
