"""A server that keeps the contract passes every line of every profile: the rules can be satisfied."""

from __future__ import annotations

import pytest
from tests.collect.conform.conftest import Try, ids
from tests.collect.conform.strict import BODY_BYTES, Kept, Strict

NEVER_BUSY = {"answers.retry_after"}
RUDDER_SIZES = {"sizes.rudder_4mb", "sizes.rudder_over"}


@pytest.mark.parametrize(
    ("profile", "body_bytes", "skipped", "at_least"),
    [
        ("segment", BODY_BYTES, NEVER_BUSY, 160),
        ("rudderstack", 4_000_000, NEVER_BUSY, 90),
        ("jitsu", BODY_BYTES, NEVER_BUSY, 55),
        ("all", BODY_BYTES, NEVER_BUSY | RUDDER_SIZES, 180),
    ],
)
def test_every_line_passes(try_server: Try, profile: str, body_bytes: int, skipped: set[str], at_least: int) -> None:
    report = try_server(Strict, profile=profile, body_bytes=body_bytes, read_back=True)
    assert ids(report, "fail") == set()
    assert ids(report, "skip") == skipped
    assert len(ids(report, "pass")) >= at_least
    assert report.conforms


def test_it_can_be_run_again_against_the_same_server(try_server: Try) -> None:
    kept = Kept()
    first = try_server(Strict, kept=kept, read_back=True)
    second = try_server(Strict, kept=kept, read_back=True)
    assert first.conforms
    assert second.conforms
    assert first.run != second.run


def test_what_it_sends_says_that_it_is_synthetic(try_server: Try) -> None:
    kept = Kept()
    try_server(Strict, kept=kept, read_back=True)
    unlabelled = [event for event in kept.events if event["context"].get("synthetic") is not True]
    assert len(kept.events) > 2500
    # What remains are events whose context is itself what is tried: they are known by their ids.
    assert all(str(event["anonymousId"]).startswith("conform-") for event in unlabelled)
    assert len(unlabelled) <= 6


def test_without_a_read_back_what_needs_one_is_skipped_with_the_reason(try_server: Try) -> None:
    report = try_server(Strict)
    lines = [line for line in report.rules if line.section == "readback"]
    assert {line.verdict for line in lines} == {"skip"}
    assert {line.reason.en for line in lines} == {"needs --read-back"}
    assert all(line.exchanges == () for line in lines)
    assert report.conforms


def test_a_report_holds_no_write_key(try_server: Try) -> None:
    from tests.collect.conform.permissive import Echo

    for handler in (Strict, Echo):
        report = try_server(handler)
        for line in report.rules:
            text = " ".join((line.came.fr, line.came.en, line.reason.fr, *line.exchanges))
            assert "strict-key" not in text, line.id
            assert "c3RyaWN0LWtleSsvOj89" not in text, line.id
