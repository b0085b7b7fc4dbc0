"""What the wire cannot show: each fault of a store is found by its own rules, and what is not told is skipped."""

from __future__ import annotations

from typing import Any

import pytest
from tests.collect.conform.conftest import Try, ids
from tests.collect.conform.listening import listen
from tests.collect.conform.strict import KEY, Kept, Strict

from parcours.collect.conform import Asked, conform
from parcours.errors import ParcoursError
from parcours.progress import Silent


def names(*rules: str) -> set[str]:
    return {f"readback.{rule}" for rule in rules}


NEED_ID = names(
    "batch", "order", "twice", "twice_inside", "twice_elsewhere", "retry", "alike", "pixel", "bad_item",
    "no_message_id", "refused",
)  # fmt: skip


@pytest.mark.parametrize(
    ("flaw", "failing"),
    [
        ("twice", names("twice", "twice_inside", "twice_elsewhere", "retry")),
        ("reversed", names("order")),
        ("no_clock", names("clock_envelope", "clock_event", "clock_rudder")),
        ("no_merge", names("context", "integrations")),
        ("no_id", names("no_message_id")),
        ("late", set()),
        ("twice_at_first", set()),
    ],
)
def test_each_fault_of_a_store_is_found_by_its_own_rules(try_server: Try, flaw: str, failing: set[str]) -> None:
    wait_s = 30.0 if not failing else 0.2
    report = try_server(Strict, flaw, sections=("readback",), read_back=True, read_back_wait_s=wait_s)
    assert ids(report, "fail") == failing
    assert ids(report, "skip") == set()


@pytest.mark.parametrize(
    ("hidden", "skipped"),
    [
        (("messageId",), NEED_ID),
        (("receivedAt",), names("clock_envelope", "clock_event", "clock_rudder")),
        (("timestamp",), names("clock_envelope", "clock_event", "clock_rudder", "clock_absent")),
        (("originalTimestamp",), names("original")),
        (("type",), names("calls", "letters")),
        (("event",), names("text")),
        (("userId",), names("user")),
        (("context", "integrations"), names("context", "integrations")),
        (("anonymousId", "sentAt"), set()),
    ],
)
def test_a_field_that_is_not_told_is_a_reason_to_skip(
    try_server: Try, hidden: tuple[str, ...], skipped: set[str]
) -> None:
    flaws = [f"hide_{name}" for name in hidden]
    report = try_server(Strict, *flaws, sections=("readback",), read_back=True)
    assert ids(report, "fail") == set()
    assert ids(report, "skip") == skipped
    reasons = {line.reason.en for line in report.rules if line.verdict == "skip"}
    assert reasons <= {f"the read-back does not give {name}" for name in hidden}
    assert report.conforms


class Breaks(Strict):
    """Strict, but cannot read back for long."""

    answers = 0

    def answer_read_back(self, anonymous_id: str) -> None:
        type(self).answers += 1
        if type(self).answers > 3:
            self.answer_json(500, {"code": "broken", "message": "broken"})
            return
        super().answer_read_back(anonymous_id)


def test_a_read_back_that_breaks_fails_what_it_was_asked_for(try_server: Try) -> None:
    report = try_server(type("BreaksOnce", (Breaks,), {"answers": 0}), sections=("readback",), read_back=True)
    failing = [line for line in report.rules if line.verdict == "fail"]
    assert len(failing) == len(report.rules) - 2
    assert all("500" in line.came.en for line in failing)


class Forgets(Strict):
    """Says that all is well, and keeps nothing."""

    def take(self, path: str, body: bytes) -> None:
        pass


def test_a_server_that_keeps_nothing_passes_nothing(try_server: Try) -> None:
    report = try_server(Forgets, sections=("readback",), read_back=True)
    assert {line.verdict for line in report.rules} == {"fail"}
    assert {line.came.en for line in report.rules} == {"the last event has not arrived"}


def test_a_read_back_by_which_no_event_can_be_known_is_a_reason_to_skip(try_server: Try) -> None:
    report = try_server(Strict, "hide_messageId", "hide_event", sections=("readback",), read_back=True)
    assert {line.verdict for line in report.rules} == {"skip"}


class Wrong(Strict):
    """Answers the read-back with something else."""

    document: Any = None

    def answer_read_back(self, anonymous_id: str) -> None:
        self.answer_json(200, self.document)


@pytest.mark.parametrize("document", [{}, [], {"events": None}, {"events": {}}, {"events": ["text"]}, None])
def test_a_read_back_in_another_form_is_said_before_anything_is_sent(document: Any) -> None:
    kept = Kept()
    with (
        listen(type("Other", (Wrong,), {"document": document}), kept=kept) as (url, _),
        pytest.raises(ParcoursError) as caught,
    ):
        conform(Asked(url=url, write_key=KEY, read_back=f"{url}/read-back"), Silent())
    assert caught.value.code == "read_back_unusable"
    assert kept.events == []


@pytest.mark.parametrize("token", [None, "another"])
def test_a_read_back_that_wants_a_token_says_so(token: str | None) -> None:
    with listen(Strict, kept=Kept()) as (url, _), pytest.raises(ParcoursError) as caught:
        conform(Asked(url=url, write_key=KEY, read_back=f"{url}/read-back", read_back_token=token), Silent())
    assert caught.value.code == "read_back_unusable"
    assert "401" in caught.value.faults[0].sentence.en
    assert "--read-back-token" in caught.value.faults[0].remedy.en


def test_the_read_back_keeps_the_query_of_its_address(try_server: Try) -> None:
    seen: list[str] = []

    class Queried(Strict):
        def do_GET(self) -> None:
            seen.append(self.path)
            super().do_GET()

    with listen(Queried, kept=Kept()) as (url, _):
        asked = Asked(url=url, write_key=KEY, only=("readback.twice",), read_back=f"{url}/read-back?tenant=7",
                      read_back_token="strict-token")  # fmt: skip
        report = conform(asked, Silent())
    assert report.conforms
    assert all(path.startswith("/read-back?tenant=7&anonymousId=conform-") for path in seen)
