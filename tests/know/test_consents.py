"""Tests of consents: coverage counts everybody once; what is recorded for a customer is noted and counts at once."""

from __future__ import annotations

import msgspec
import pytest
from tests.know.conftest import START_MS, Firm, make_blueprint

from parcours.blueprint.records import Channel, Notice, Purpose
from parcours.errors import ParcoursError
from parcours.know import Counts
from parcours.progress import Silent
from parcours.words import Words

YES, NO = {"consent_personalise": True}, {"consent_personalise": False}
DAY_MS = 86_400_000


def ordered(**ids: str) -> dict[str, object]:
    return {"name": "Ordered", **{f"id_{kind}": value for kind, value in ids.items()}}


def coverage(firm: Firm, purpose: str = "personalise") -> dict[str, object]:
    (found,) = [one for one in firm.again().know.consents.overview().coverage if one.purpose == purpose]
    return {"whole": found.whole, **found.channels, **{f"from {name}": one for name, one in found.sources.items()}}


def test_each_customer_is_counted_once_by_the_strictest_of_their_choices(firm: Firm) -> None:
    firm.admit(
        ordered(user="u1") | YES,
        ordered(user="u1", device="d1"),
        ordered(user="u2") | YES,
        ordered(user="u2") | NO | {"occurred_ms": START_MS + 1},
        ordered(user="u3", mail="c@d.fr"),
        ordered(mail="c@d.fr") | NO,
        ordered(user="u4") | {"name": "Unknown"},
    )
    found = coverage(firm)
    assert found["whole"] == Counts(n=4, allowed=1, granted=1, withdrawn=1, denied=1, silent=1)
    # Whoever did nothing but what no touchpoint means was met on no channel.
    assert found["web"] == Counts(n=3, allowed=1, granted=1, withdrawn=1, denied=1)
    assert found["from test"] == Counts(n=3, allowed=1, granted=1, withdrawn=1, denied=1)
    assert coverage(firm, "improve")["whole"] == Counts(n=4, allowed=4, silent=4)
    assert found["whole"].share == 0.25


def test_an_expired_consent_is_counted_as_such_and_said(firm: Firm) -> None:
    purpose = Purpose(id="personalise", label=Words(fr="a", en="a"), basis="consent", expires_days=182)
    firm = firm.again(make_blueprint(purposes=(firm.blueprint.purposes[0], purpose)))
    firm.admit(ordered(user="u1") | YES)
    assert coverage(firm)["whole"] == Counts(n=1, allowed=0, expired=1)
    verdict = firm.know.may("user:u1", "personalise")
    assert (verdict.allowed, verdict.code) == (False, "expired")
    assert firm.rows("personalise", "touches") == []


def test_channels_are_those_where_customers_were_met(firm: Firm) -> None:
    channels = (*firm.blueprint.channels, Channel(id="phone", label=Words(fr="a", en="a"), kind="human"))
    touchpoints = [
        msgspec.structs.replace(one, channel="phone") if one.id == "help" else one for one in firm.blueprint.touchpoints
    ]
    firm = firm.again(make_blueprint(channels=channels, touchpoints=tuple(touchpoints)))
    firm.admit(ordered(user="u1") | YES, {"name": "Called", "id_user": "u1"}, {"name": "Called", "id_user": "u2"})
    found = coverage(firm)
    assert (found["web"], found["phone"]) == (
        Counts(n=1, allowed=1, granted=1),
        Counts(n=2, allowed=1, granted=1, silent=1),
    )


def test_a_company_without_anything_has_nothing_to_cover(firm: Firm) -> None:
    overview = firm.know.consents.overview()
    assert [one.whole for one in overview.coverage] == [Counts(n=0, allowed=0)] * 2
    assert overview.coverage[0].whole.share is None
    assert (overview.ledger.lines, overview.ledger.head, overview.changes) == (0, "", ())


def test_a_choice_told_to_a_person_counts_at_once_and_stands_in_the_audit_log(firm: Firm) -> None:
    firm.admit(ordered(user="u1", mail="a@b.fr", device="d1") | YES, ordered(user="u2") | YES)
    before = firm.know.consents.overview().ledger.lines
    done = firm.know.consents.record("mail:a@b.fr", "personalise", False, "7", "call of 3 March, a@b.fr")
    assert (done.identifiers, done.entries) == (2, (before + 1, before + 2))
    assert firm.know.may("user:u1", "personalise").code == "refused"
    assert firm.know.may("user:u2", "personalise").allowed
    (entry,) = firm.know.audit.read()
    assert (entry.action, entry.actor, entry.entry_no) == ("record_choice", "7", done.audit_no)
    assert entry.reason == "personalise: refused. call of 3 March, [mail]"
    overview = firm.again().know.consents.overview()
    latest = overview.changes[0]
    assert (latest.state, latest.event_no) == ("withdrawn", -1)
    assert latest.context is not None
    assert (latest.context.source, latest.context.actor) == ("parcours", "7")
    assert (latest.context.reason, latest.context.audit_no) == ("call of 3 March, [mail]", done.audit_no)
    assert "a@b.fr" not in repr(overview)


def test_the_account_s_choice_is_not_recorded_for_a_device_unless_it_is_the_device_that_is_named(firm: Firm) -> None:
    firm.admit(ordered(user="u1", device="d1") | YES)
    firm.know.consents.record("user:u1", "personalise", False, "cli", "letter")
    states = {one.principal: one.state for one in firm.know.consents.overview().changes}
    assert len(states) == 1
    firm.know.consents.record("device:d1", "personalise", True, "cli", "at the counter")
    latest = firm.know.consents.overview().changes[0]
    assert latest.principal not in states
    assert latest.state == "granted"


def test_a_choice_for_a_profile_holds_for_its_account_and_none_of_its_devices(firm: Firm) -> None:
    firm.admit(ordered(user="u1", mail="a@b.fr", device="d1") | YES, ordered(device="d2") | YES)
    firm.know.refresh(Silent())
    (account,), (lone,) = firm.know.portraits.find("user:u1"), firm.know.portraits.find("device:d2")
    assert firm.know.consents.record_for(account, "personalise", False, "person:3", "call").identifiers == 2
    assert firm.know.may("mail:a@b.fr", "personalise").code == "refused"
    assert firm.know.may("device:d2", "personalise").allowed
    assert firm.know.consents.record_for(lone, "personalise", False, "person:3", "meeting").identifiers == 1
    assert firm.know.may("device:d2", "personalise").code == "refused"
    before = firm.know.consents.overview().ledger.lines
    for wrong in ("0" * 16, "f" * 16, "user:u1", "", account.upper() + "0"):
        with pytest.raises(ParcoursError) as raised:
            firm.know.consents.record_for(wrong, "personalise", True, "person:3", "call")
        assert raised.value.code == "unknown_customer"
    assert firm.know.consents.overview().ledger.lines == before


def test_a_choice_is_recorded_again_though_it_was_stated_a_moment_ago(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES)
    for number in (1, 2):
        done = firm.know.consents.record("user:u1", "personalise", True, "cli", f"call {number}")
        assert len(done.entries) == 1


def test_a_choice_may_come_before_the_customer(firm: Firm) -> None:
    firm.know.consents.record("mail: New@B.fr", "personalise", True, "cli", "trade fair", new=True)
    rows = firm.admit(ordered(mail="new@b.fr")).rows
    assert rows.column("permitted").to_pylist() == [3]


@pytest.mark.parametrize(
    ("identifier", "purpose", "reason", "code"),
    [
        ("nobody", "personalise", "call", "unknown_customer"),
        ("user:u11", "personalise", "call", "nobody_yet"),
        ("mail:undefined", "personalise", "call", "unknown_customer"),
        ("same", "personalise", "call", "ambiguous_customer"),
        ("user:u1", "sell", "call", "unknown_purpose"),
        ("user:u1", "personalise", "  ", "reason_missing"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_leaves_nothing(
    firm: Firm, identifier: str, purpose: str, reason: str, code: str
) -> None:
    firm.admit(ordered(user="u1"), ordered(user="same"), ordered(device="same"))
    with pytest.raises(ParcoursError, match=code):
        firm.know.consents.record(identifier, purpose, True, "cli", reason)
    assert firm.know.audit.read() == ()
    assert firm.know.consents.overview().ledger.lines == 0


def test_lines_name_the_notice_that_was_in_force_or_that_the_event_names(firm: Firm) -> None:
    def notice(version: str, language: str, since: str, **more: object) -> Notice:
        told = {"id": "banner", "version": version, "language": language, "since": since, "interface": "ab" * 32}
        return Notice(**(told | more))

    notices = (
        notice("1", "fr", "2020-01-01"),
        notice("2", "fr", "2023-11-15"),
        notice("2", "en", "2023-11-15"),
        notice("9", "fr", "2020-01-01", purposes=("improve",)),
    )
    firm = firm.again(make_blueprint(notices=notices))
    early = {"occurred_ms": START_MS - 30 * DAY_MS}
    firm.admit(
        ordered(user="u1") | YES | early,
        ordered(user="u2") | YES | {"occurred_ms": START_MS + 5 * DAY_MS},
        ordered(user="u3") | YES | {"choice_notice": "banner@2/en"},
        ordered(user="u4") | YES | {"choice_notice": "banner@77"},
        ordered(user="u5") | YES | {"occurred_ms": START_MS - 9999 * DAY_MS},
    )
    overview = firm.know.consents.overview()
    told = {
        (line.context.notice, line.context.notice_version, line.context.language)
        for line in overview.changes
        if line.context
    }
    assert told == {("banner", "1", "fr"), ("banner", "2", "und"), ("banner", "2", "en"), ("", "", "")}
    used = {(one.version, one.language): one.choices for one in overview.notices}
    assert used == {("1", "fr"): 1, ("2", "fr"): 0, ("2", "en"): 1, ("9", "fr"): 0, ("2", "und"): 1}


def test_erased_lines_are_counted_and_their_proof_is_told_of(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES, ordered(user="u2") | NO)
    ledger = firm.know._ledger
    ledger.erase(firm.know._identities.pseudonyms_of("user:u1"))
    overview = firm.know.consents.overview()
    assert (overview.ledger.lines, overview.ledger.erased, overview.ledger.proofs) == (3, 1, 1)
    assert [line.state for line in overview.changes] == ["erased", "denied"]
    assert overview.changes[0].erased_no == 1
