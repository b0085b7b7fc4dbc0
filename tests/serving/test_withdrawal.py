"""A withdrawal while `serve` runs: within a second nothing rests on the old consent, and other bases stay."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.boutique import IMPROVE, PERSONALISE, WEB, make_company, make_event
from tests.receiver import Receiver
from tests.served import Served, serving

from parcours import company as companies

WITHIN_S = 1.0
TO = (
    "destination: partner\nconnector: webhook\noptions: {{url: '{}', secret: '${{SECRET}}'}}\n"
    "purpose: personalise\nevents: [Order Completed]\n"
)
pytestmark = pytest.mark.slow


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.down()


@pytest.fixture
def served(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("SECRET", "whsec_" + "a" * 32)
    (tmp_path / "shop/destinations").mkdir(parents=True)
    (tmp_path / "shop/destinations/partner.yaml").write_text(TO.format(receiver.url), "utf-8")
    make_company(tmp_path / "shop", IMPROVE + PERSONALISE, "[collect]\nevery_s = 0.3\n", (WEB,))
    with serving(tmp_path / "shop") as one:
        yield one


def took(true: Callable[[], bool]) -> float:
    """Return how many seconds it took until something was true."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < 30
        time.sleep(0.01)
    return time.monotonic() - begun


def test_within_a_second_nothing_rests_on_the_old_consent(served: Served, receiver: Receiver) -> None:
    key = served.make_key()
    served.wait_for(lambda: served.send(key, *(make_event(n, f"C{n % 3}", True) for n in range(24))) == 200, "the key")
    company = companies.open(served.folder, follow=True)
    served.wait_for(lambda: company.report is not None and company.report.events == 24, "the report")
    served.wait_for(lambda: len(receiver.requests) == 6, "what is carried out")
    scores = company.result("experience", purpose="improve")
    assert company.know.may("user:C1", "personalise", company.live)
    assert company.timeline("user:C1", "personalise").count == 8
    receiver.down()
    # It waits in the queue while the other side does not answer.
    assert served.send(key, make_event(101, "C1", True), make_event(105, "C2", True)) == 200
    served.wait_for(lambda: waiting(served) == 2, "a queue")
    assert served.send(key, make_event(102, "C1", False)) == 200
    assert took(lambda: not company.know.may("user:C1", "personalise", company.live)) < WITHIN_S
    assert took(lambda: not company.timeline("user:C1", "personalise").permitted) < WITHIN_S
    assert company.know.may("user:C2", "personalise", company.live)
    assert company.know.may("user:C1", "improve", company.live)
    receiver.up()
    served.wait_for(lambda: len(receiver.requests) > 6, "what may still go")
    time.sleep(1)
    after = [json.loads(body)["userId"] for _, _, body in receiver.requests[6:]]
    assert set(after) == {"C2"}
    # Published anew, the purpose that rests on consent has lost a customer, the other one none.
    served.wait_for(lambda: company.rows_for("experience", "personalise").customers == 2, "a publication")
    assert company.rows_for("experience", "improve").customers == 3
    again = company.result("experience", purpose="improve")
    assert again.n == scores.n
    assert [row["touchpoint"] for row in again.rows] == [row["touchpoint"] for row in scores.rows]


def waiting(served: Served) -> int:
    from parcours.collect.journal.opening import read_outbox

    table = read_outbox(served.folder)
    try:
        return table.waiting("partner")[0]
    finally:
        table.close()
