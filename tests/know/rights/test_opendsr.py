"""Tests of the OpenDSR interface: one entry a request, whatever comes twice or wrong, and callbacks that are signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.receiver import Receiver

from parcours import flow
from parcours.errors import ParcoursError
from parcours.know import OpenDsr, verify
from parcours.know.rights import callbacks
from parcours.know.rights.dsr_keys import DsrKey, is_callback
from parcours.progress import Silent
from parcours.settings import Settings

from .conftest import IDS, Living, Oracle, open_company

ID = "a7551968-d5d6-44b2-9831-815ac9017798"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.down()


def body(**changes: Any) -> dict[str, Any]:
    told = {
        "regulation": "gdpr",
        "subject_request_id": ID,
        "subject_request_type": "erasure",
        "submitted_time": "2026-11-20T12:00:00Z",
        "subject_identities": [{"identity_type": "email", "identity_value": IDS["mail"], "identity_format": "raw"}],
        "api_version": "2.0",
    }
    return {**told, **changes}


def key_of(company: Living, *urls: str) -> DsrKey:
    found = company.know.opendsr.keys.find(company.know.opendsr.keys.add(urls))
    assert found
    return found


def enter(company: Living, key: DsrKey, **changes: Any) -> tuple[int, Any]:
    answer = company.know.opendsr.enter(json.dumps(body(**changes)).encode(), key)
    return answer.status, json.loads(answer.body)


def status(company: Living, request_id: str = ID) -> Any:
    return json.loads(company.know.opendsr.tell(request_id).body).get("request_status")


def test_a_request_is_entered_once_however_often_it_comes(company: Living) -> None:
    key = key_of(company)
    first, again = enter(company, key), enter(company, key)
    assert first == again
    assert first[0] == 201
    assert json.loads(base64.b64decode(first[1]["encoded_request"])) == body()
    (held,) = company.know.requests.list_requests()
    assert (held.kind, held.state, held.channel, held.outside) == ("erasure", "checked", "opendsr", ID)
    assert company.know.requests.identifiers_of(held.number) == (f"mail:{IDS['mail']}",)
    # The month began when the person asked.
    assert first[1]["expected_completion_time"].startswith("2026-12-21")
    other = [{"identity_type": "email", "identity_value": "somebody@else.fr"}]
    for changes in ({"subject_request_type": "access"}, {"subject_identities": other}):
        assert enter(company, key, **changes)[0] == 409
    assert len(company.know.requests.list_requests()) == 1


def test_from_pending_to_completed_by_an_erasure(company: Living) -> None:
    assert enter(company, key_of(company))[0] == 201
    assert status(company) == "pending"
    (receipt,) = flow.answer_erasure(company, 1, "cli")
    assert receipt.request_no == 1
    assert status(company) == "completed"
    oracle = Oracle(company.folder)
    assert oracle.count() == 0, oracle.found
    # Sent again it is still the same request, though nothing says any more whom it was about.
    assert enter(company, company.know.opendsr.keys.live()[0])[0] == 201
    assert status(company) == "completed"


def test_a_request_about_several_people_erases_each_and_one_about_nobody_is_answered(company: Living) -> None:
    key = key_of(company)
    both = [{"identity_type": "controller_customer_id", "identity_value": one} for one in ("other-1", "other-3")]
    enter(company, key, subject_identities=both)
    assert [one.request_no for one in flow.answer_erasure(company, 1, "cli")] == [1, 1]
    nobody = [{"identity_type": "phone", "identity_value": "+33699999999"}]
    enter(company, key, subject_request_id="another-request-1", subject_identities=nobody)
    assert flow.answer_erasure(company, 2, "cli") == ()
    assert status(company, "another-request-1") == "completed"


def test_access_is_answered_for_one_person_alone(company: Living) -> None:
    key = key_of(company)
    enter(company, key, subject_request_type="access")
    dossier = flow.answer_access(company, 1, "cli")
    assert {one.value for one in dossier.identifiers} == set(IDS.values())
    assert status(company) == "completed"
    both = [{"identity_type": "user_id", "identity_value": one} for one in (IDS["user"], "other-1")]
    enter(company, key, subject_request_type="portability", subject_request_id="two-people-1", subject_identities=both)
    with pytest.raises(ParcoursError) as caught:
        flow.answer_access(company, 2, "cli")
    assert caught.value.code == "another_person"


def test_a_rectification_is_answered_by_the_value(company: Living) -> None:
    enter(company, key_of(company), subject_request_type="rectification")
    flow.answer_rectification(company, 1, "town", "Rennes", "cli")
    assert status(company) == "completed"
    dossier = flow.compile_dossier(company, f"mail:{IDS['mail']}", "access", "cli")
    assert [one.value for one in dossier.values] == ["Rennes"]


def test_it_may_be_cancelled_until_somebody_answers_it(company: Living) -> None:
    key, dsr = key_of(company), company.know.opendsr
    enter(company, key)
    assert [dsr.cancel(ID).status for _ in range(2)] == [202, 202]
    assert status(company) == "cancelled"
    enter(company, key, subject_request_id="another-request-1")
    company.know.requests.start(2, "cli")
    assert dsr.cancel("another-request-1").status == 409
    assert dsr.cancel("nothing-of-it").status == dsr.tell("nothing-of-it").status == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject_identities": [{"identity_type": "ssn", "identity_value": "kanari"}]}, "unknown_identity_type"),
        (
            {
                "subject_identities": [
                    {"identity_type": "email", "identity_value": "kanari", "identity_format": "sha256"}
                ]
            },
            "unknown_identity_format",
        ),
        ({"subject_identities": []}, "bad_request"),
        ({"subject_identities": [{"identity_type": "email", "identity_value": ""}]}, "bad_request"),
        ({"subject_identities": [{"identity_type": "email", "identity_value": "kanari" * 50}]}, "bad_request"),
        ({"subject_request_type": "objection"}, "bad_request"),
        ({"subject_request_id": "x"}, "bad_request"),
        ({"subject_request_id": "../../etc/passwd"}, "bad_request"),
        ({"submitted_time": "kanari"}, "bad_request"),
        ({"submitted_time": "2026-11-20T12:00:00"}, "bad_request"),
        ({"status_callback_urls": ["https://elsewhere.example/kanari"]}, "callback_not_declared"),
    ],
)
def test_what_is_wrong_is_told_without_what_was_sent_and_not_entered(
    company: Living, changes: dict[str, Any], code: str
) -> None:
    told = enter(company, key_of(company, "https://dsr.example/"), **changes)
    assert told[0] == (403 if code == "callback_not_declared" else 400)
    assert told[1]["error"]["errors"] == [{"reason": code}]
    assert "kanari" not in str(told)
    assert not company.know.requests.list_requests()


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.recursive(st.text() | st.none() | st.integers(), st.lists).map(json.dumps))
)
def test_no_body_is_more_than_refused(dsr: tuple[OpenDsr, DsrKey], sent: bytes | str) -> None:
    answer = dsr[0].enter(sent if isinstance(sent, bytes) else sent.encode(), dsr[1])
    assert answer.status == 400


@pytest.fixture(scope="module")
def dsr(made: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[OpenDsr, DsrKey]:
    company = open_company(tmp_path_factory.mktemp("dsr"))
    return company.know.opendsr, key_of(company)


def test_an_oversized_or_deep_body_is_refused(dsr: tuple[OpenDsr, DsrKey]) -> None:
    assert dsr[0].enter(json.dumps(body(extensions="x" * 40_000)).encode(), dsr[1]).status == 413
    assert dsr[0].enter(b"[" * 30_000, dsr[1]).status == 400


def test_each_state_is_told_once_signed_and_tried_again(
    company: Living, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "FIRST_WAIT_MS", 0)
    place = f"http://127.0.0.1:{receiver.port}/dsr"
    key, opendsr = key_of(company, place), company.know.opendsr
    enter(company, key, status_callback_urls=[f"{place}/heard"])
    receiver.answers = [(500, {}, b""), (302, {"Location": "http://127.0.0.1:1/"}, b"")]
    assert [opendsr.send_due() for _ in range(4)] == [0, 0, 1, 0]
    flow.answer_erasure(company, 1, "cli")
    assert [opendsr.send_due() for _ in range(2)] == [1, 0]
    told = [json.loads(sent) for _, _, sent in receiver.requests]
    assert [one["request_status"] for one in told] == ["pending", "pending", "pending", "completed"]
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(json.loads(opendsr.discover().body)["public_key"]))
    for _, headers, sent in receiver.requests:
        public.verify(base64.b64decode(headers["x-opendsr-signature"]), sent)
        assert IDS["mail"] not in sent.decode()


def test_nothing_is_told_to_an_address_whose_key_was_revoked(company: Living, receiver: Receiver) -> None:
    place = f"http://127.0.0.1:{receiver.port}/dsr"
    key = key_of(company, place)
    enter(company, key, status_callback_urls=[place])
    company.know.opendsr.keys.revoke(key.ending)
    assert company.know.opendsr.send_due() == 0
    assert not receiver.requests


@pytest.mark.parametrize(
    ("url", "due"),
    [
        ("https://dsr.example/cb", True),
        ("https://dsr.example/cb/more", True),
        ("https://dsr.example/cbx", False),
        ("https://dsr.example/cb/../admin", False),
        ("https://dsr.example:444/cb", False),
        ("https://user@dsr.example/cb", False),
        ("https://dsr.example.evil.example/cb", False),
        ("http://dsr.example/cb", False),
        ("ftp://dsr.example/cb", False),
        ("https://[::1", False),
    ],
)
def test_a_callback_stays_below_what_was_declared(url: str, due: bool) -> None:
    assert DsrKey("", "", 0, 0, ("https://dsr.example/cb",)).lets_call(url) is due


def test_a_key_is_kept_as_a_digest_two_serve_at_most_and_a_revoked_one_never(company: Living) -> None:
    keys = company.know.opendsr.keys
    one, other = keys.add(()), keys.add(("https://dsr.example/",))
    with pytest.raises(ParcoursError) as caught:
        keys.add(())
    assert caught.value.code == "too_many_keys"
    for path in (company.folder / ".parcours").glob("state.db*"):
        assert one.encode() not in path.read_bytes()
    keys.revoke(one[-6:])
    assert keys.find(one) is None
    assert keys.find(other)
    for code, act in (
        ("unknown_key", lambda: keys.revoke("nosuch")),
        ("bad_callback", lambda: keys.add(("http://x/",))),
    ):
        with pytest.raises(ParcoursError) as caught:
            act()
        assert caught.value.code == code
    assert not is_callback("http://10.0.0.1/")


def test_it_is_verified_like_everything(company: Living) -> None:
    from parcours.know.state import open_state

    enter(company, key_of(company))
    open_state(company.folder).execute("UPDATE dsr_keys SET callbacks = '[\"https://evil.example/\"]'")
    faults = verify(company.folder, Settings(), Silent()).faults
    assert any("dsr_keys" in fault.sentence.en for fault in faults)
