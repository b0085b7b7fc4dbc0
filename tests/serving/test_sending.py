"""The gate before sending: what a withdrawal of a moment ago takes out of a queue, and what it leaves in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.boutique import IMPROVE, PERSONALISE, WEB, deliver, make_company, make_event, take_over

from parcours.collect.journal.opening import read_outbox
from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.serving.ports import SealedOutbox
from parcours.serving.sending import SendGate, find_ids

TO = (
    "destination: {}\nconnector: webhook\noptions: {{url: 'http://127.0.0.1:9/', secret: '${{SECRET}}'}}\n"
    "purpose: {}\nevents: [Order Completed]\n"
)


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """The shop with a destination for each purpose, and orders of four customers in their queues."""
    monkeypatch.setenv("SECRET", "whsec_" + "a" * 32)
    (tmp_path / "shop/destinations").mkdir(parents=True)
    for name, purpose in (("partner", "personalise"), ("care", "improve")):
        (tmp_path / f"shop/destinations/{name}.yaml").write_text(TO.format(name, purpose), "utf-8")
    one = make_company(tmp_path / "shop", IMPROVE + PERSONALISE, sources=(WEB,))
    deliver(one, *(make_event(4 * n + 1, f"C{n}", n != 1) for n in range(4)))
    take_over(one)
    return one


def users(outbox: SealedOutbox, destination: str) -> list[str]:
    return [json.loads(one.body)["userId"] for one in outbox.take(destination, 10)]


def test_a_withdrawal_that_was_just_accepted_stops_what_already_waits(company: Company) -> None:
    table, gate = read_outbox(company.folder), SendGate(company)
    outbox = SealedOutbox(table, company.know.door(), gate.judge)
    assert users(outbox, "partner") == ["C0", "C2", "C3"]
    # Accepted, and in no part and no ledger yet.
    deliver(company, make_event(100, "C2", False))
    assert users(outbox, "partner") == ["C0", "C3"]
    assert users(outbox, "care") == ["C0", "C1", "C2", "C3"]
    assert table.carried() == {("partner", "refused", "refused"): 1}
    gate.close()
    table.close()


def test_when_everybody_has_withdrawn_the_queue_is_empty(company: Company) -> None:
    table, gate = read_outbox(company.folder), SendGate(company)
    outbox = SealedOutbox(table, company.know.door(), gate.judge)
    deliver(company, *(make_event(100 + n, f"C{n}", False) for n in range(4)))
    assert users(outbox, "partner") == []
    assert outbox.waiting("partner") == (0, None)
    gate.close()
    table.close()


def test_with_a_ledger_that_cannot_be_believed_nothing_goes(company: Company) -> None:
    table, gate = read_outbox(company.folder), SendGate(company)
    company.know._state.execute("UPDATE consent SET choice = 1")
    outbox = SealedOutbox(table, company.know.door(), gate.judge)
    with pytest.raises(ParcoursError):
        outbox.take("partner", 10)
    assert outbox.waiting("partner")[0] == 3
    gate.close()
    table.close()


def test_whom_a_parcel_names() -> None:
    body = json.dumps({"event": "E", "userId": "u", "email": "a@b.fr", "properties": {"n": 1}}).encode()
    assert find_ids(body) == {"user": "u", "mail": "a@b.fr"}
