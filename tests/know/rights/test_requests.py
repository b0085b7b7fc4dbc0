"""Tests of the register of requests: states, deadlines, what is told of them, and that nobody can be read out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.errors import ParcoursError
from parcours.know.keys import open_keys
from parcours.know.rights.requests import DAY_MS, Requests
from parcours.know.state import open_state
from parcours.settings import Settings

START_MS = 1_700_000_000_000


def open_requests(folder: Path) -> Requests:
    return Requests(open_state(folder), open_keys(folder, Settings())[0], "Europe/Paris")


def test_a_request_from_its_coming_in_to_its_answer(tmp_path: Path) -> None:
    requests = open_requests(tmp_path)
    number = requests.open("erasure", ["mail:a@b.fr"], "cli")
    requests.check_identity(number, "signed in", "cli")
    requests.start(number, "cli", 3)
    requests.close(number, "done", "cli", "told by mail")
    (held,) = open_requests(tmp_path).list_requests()
    assert (held.number, held.kind, held.state, held.identity, held.erasure_no) == (
        1,
        "erasure",
        "done",
        "signed in",
        3,
    )
    assert [act.act for act in held.acts] == ["received", "checked", "started", "done"]
    assert held.closed_ms >= held.received_ms
    assert not held.is_open
    with pytest.raises(ParcoursError, match="close"):
        requests.start(number, "cli")


def test_identifiers_are_sealed_and_go(tmp_path: Path) -> None:
    requests = open_requests(tmp_path)
    number = requests.open("erasure", ["mail:canary@b.fr"], "cli")
    cells = [cell for row in open_state(tmp_path).execute("SELECT * FROM requests") for cell in row]
    assert not [cell for cell in cells if "canary" in str(cell)]
    assert requests.identifiers_of(number) == ("mail:canary@b.fr",)
    requests.forget_subjects([number])
    assert requests.identifiers_of(number) == ()
    assert requests.find(number).kind == "erasure"


def test_two_months_more_are_told_within_the_first(tmp_path: Path) -> None:
    requests = open_requests(tmp_path)
    number = requests.open("access", ["u1"], "cli")
    due_ms = requests.find(number).due_ms
    requests.extend(number, "many requests", "cli")
    assert 55 * DAY_MS < requests.find(number).due_ms - due_ms < 66 * DAY_MS
    late = requests.open("access", ["u1"], "cli", received_ms=START_MS)
    for one in (number, late):
        with pytest.raises(ParcoursError) as caught:
            requests.extend(one, "again", "cli")
        assert caught.value.code == "too_late_to_extend"


def test_what_is_due_first_stands_first_and_is_told(tmp_path: Path) -> None:
    requests = open_requests(tmp_path)
    closed = requests.open("access", ["u1"], "cli", received_ms=START_MS)
    requests.close(closed, "refused", "cli", "not they")
    later = requests.open("access", ["u1"], "cli", received_ms=START_MS + 2 * DAY_MS)
    first = requests.open("objection", ["u2"], "cli", received_ms=START_MS)
    assert [one.number for one in requests.list_requests()] == [first, later, closed]
    due_ms = requests.find(first).due_ms
    assert requests.warnings(due_ms - 20 * DAY_MS) == ()
    (soon,) = requests.warnings(due_ms - 6 * DAY_MS - 1)
    assert "6 jour" in soon.fr
    late = requests.warnings(due_ms + 4 * DAY_MS)
    assert "overdue" in late[0].en
    assert len(late) == 2


def test_an_altered_request_is_named(tmp_path: Path) -> None:
    open_requests(tmp_path).open("access", ["u1"], "cli")
    open_state(tmp_path).execute("UPDATE requests SET state = 'done'")
    with pytest.raises(ParcoursError):
        open_requests(tmp_path).list_requests()
    assert list(open_requests(tmp_path).verify())


def test_there_is_no_such_request(tmp_path: Path) -> None:
    with pytest.raises(ParcoursError) as caught:
        open_requests(tmp_path).find(7)
    assert caught.value.code == "unknown_request"
