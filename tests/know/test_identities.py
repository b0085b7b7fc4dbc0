"""Tests of who is who in a company: steps and a rebuild agree, decisions replay, rules change without a reload."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.know.conftest import Firm, make_blueprint

from parcours.errors import ParcoursError
from parcours.know.company import Know
from parcours.know.identities import IDENTITY, Identities
from parcours.know.identity.people import People, write_profile_id
from parcours.know.identity.scored import ACCEPTED, WAITING, Scored
from parcours.know.identity.telling import tell_doubt
from parcours.progress import Silent
from parcours.settings import Settings


def identities(firm: Firm) -> Identities:
    return firm.know._identities


def people(firm: Firm) -> People:
    return identities(firm).people()


def rebuilt(firm: Firm) -> People:
    """Who is who when everything that is derived is thrown away."""
    shutil.rmtree(firm.folder / ".parcours" / "tables", ignore_errors=True)
    return people(firm.again())


def profile(firm: Firm, identifier: str) -> str:
    found = firm.know.explain(identifier)
    return found[0].profile if found else ""


def event(**named: Any) -> dict[str, Any]:
    return {f"id_{kind}": value for kind, value in named.items()}


STEPS: list[list[dict[str, Any]]] = [
    [event(user="U1", mail="a@maison.fr", device="d1"), event(user="U2", device="d2")],
    [event(mail="a@maison.fr", device="d2"), event(mail="b@maison.fr", phone="0612345678")],
    [event(user="U2", mail="b@maison.fr"), event(user="U3", device="d3"), event(device="alone")],
    [event(user="U2", mail="a@maison.fr")],
]


def test_steps_fold_into_what_a_rebuild_gives(firm: Firm) -> None:
    for step in STEPS:
        firm.admit(*step)
        told = people(firm)
    assert told.digest() == rebuilt(firm).digest()


def test_another_process_goes_on_from_what_was_published(firm: Firm) -> None:
    for step in STEPS:
        firm.admit(*step)
        firm = firm.again()
        told = people(firm)
    assert told.digest() == rebuilt(firm).digest()


def test_a_profile_keeps_its_id_while_people_learn_more_of_it(firm: Firm) -> None:
    firm.admit(event(mail="b@maison.fr"))
    first = profile(firm, "mail:b@maison.fr")
    firm.admit(event(user="U2", mail="b@maison.fr", device="d2"))
    assert {profile(firm, one) for one in ("U2", "mail:b@maison.fr", "device:d2")} == {first}


def test_the_proof_is_the_shortest_way_and_names_event_source_and_verdict(firm: Firm) -> None:
    for step in STEPS:
        firm.admit(*step)
    (told,) = firm.know.explain("user:U1", unmasked=True)
    shown = [(one.kind, one.shown) for one in told.identifiers]
    assert shown[: told.count] == [("user", "U1"), ("mail", "a@maison.fr"), ("device", "d1")]
    assert [(link.one, link.other, link.verdict, link.source) for link in told.proof] == [
        (0, 1, "merged", "test"),
        (0, 2, "merged", "test"),
    ]
    refused = [link for link in told.turned_down if link.verdict == "refused"]
    assert [(shown[link.one], shown[link.other], link.limit) for link in refused] == [
        (("user", "U2"), ("mail", "a@maison.fr"), "user")
    ]
    assert [link.verdict for link in told.turned_down if link.verdict != "refused"] == ["shared"]


def test_identifiers_are_masked_unless_asked_for_otherwise(firm: Firm) -> None:
    firm.admit(event(user="CUSTOMER-77", mail="claire.martin@maison.fr"))
    (told,) = firm.know.explain("CUSTOMER-77")
    assert [one.shown for one in told.identifiers] == ["•••77", "c•••@maison.fr"]


def test_who_is_not_known_has_no_proof(firm: Firm) -> None:
    firm.admit(event(user="U1"))
    assert firm.know.explain("nobody") == ()


def test_an_unmerge_parts_two_publishes_who_moved_and_survives_a_rebuild(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr", device="d1"))
    before = profile(firm, "U1")
    changes = firm.know.unmerge("user:U1", "mail:a@maison.fr", "cli", "two sisters")
    (moved,) = changes
    assert write_profile_id(moved.old_profile) == before
    assert (moved.cause, moved.act_no) == ("two sisters", 1)
    assert firm.know.identity_changes() == changes
    told = people(firm)
    assert profile(firm, "mail:a@maison.fr") == write_profile_id(moved.new_profile) != profile(firm, "U1")
    assert told.digest() == rebuilt(firm).digest()
    firm.admit(event(user="U1", mail="a@maison.fr"))
    assert profile(firm, "mail:a@maison.fr") != profile(firm, "U1")


def test_a_decision_is_in_the_audit_log_without_what_was_written_of_people(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"))
    firm.know.unmerge("U1", "mail:a@maison.fr", "cli", "said by claire@maison.fr")
    (entry,) = firm.know.audit.read()
    assert (entry.action, entry.outcome) == ("settle_merge", "done")
    assert "claire" not in entry.reason
    assert "claire" not in firm.know.identity_changes()[0].cause


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("U1", "user:nobody", "unknown_identifier"),
        ("U1", "U1", "not_a_pair"),
        ("same", "U1", "ambiguous_identifier"),
    ],
)
def test_what_cannot_be_parted_is_said(firm: Firm, one: str, other: str, code: str) -> None:
    firm.admit(event(user="U1", device="same"), event(user="same"))
    with pytest.raises(ParcoursError, match=code):
        firm.know.unmerge(one, other, "cli", "")
    assert firm.know.identity_changes() == ()


def test_two_identified_people_wait_for_a_person_who_says_the_same(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"), event(user="U2", mail="a@maison.fr"))
    (doubt,) = firm.know.review()
    assert (doubt.limit, firm.know.show_identifiers([doubt.via or 0])) == ("user", ["a•••@maison.fr"])
    firm.know.decide("approved", doubt.one, doubt.other, "p1", "same person, two cards")
    assert profile(firm, "U1") == profile(firm, "U2")
    assert firm.know.review() == ()
    assert people(firm).digest() == rebuilt(firm).digest()


def test_a_pair_that_was_compared_says_its_weight_and_each_is_counted_once(firm: Firm) -> None:
    """Accepted by weight, joined by none: two accounts wait for a person, and the numbers of linking say so."""
    firm.admit(
        *(event(user=f"U{number}") for number in range(1, 7)),
        event(user="U1", phone="0612345678"),
        event(user="U2", phone="0612345678"),
        event(mail="a@maison.fr"),
        event(mail="b@maison.fr"),
    )
    known = [*(f"user:U{number}" for number in range(1, 7)), "mail:a@maison.fr", "mail:b@maison.fr"]
    codes = np.array([identities(firm).find(name) for name in known], np.int64)
    standing = np.array([ACCEPTED, ACCEPTED, WAITING, ACCEPTED], np.int8)
    weights = np.array([15_000, 12_300, 7_800, 20_000], np.int64)
    scored = Scored(firm.know._state, firm.know._keys)
    scored.append(codes[::2], codes[1::2], weights, 1, 10, standing)
    doubts = firm.know.review()
    told = {
        tell_doubt(doubt, via).en
        for doubt, via in zip(doubts, firm.know.show_identifiers([one.via or 0 for one in doubts]), strict=True)
    }
    refused = "refused: one person would have too many accounts"
    assert told == {
        f"both with phone •••78; alike by comparison, weight 15.0 bits; {refused}",
        f"alike by comparison, weight 12.3 bits; {refused}",
        "alike by comparison, weight 7.8 bits",
    }
    # a and b are one; the three others wait, two of them because of the limit.
    assert identities(firm).count_scored() == (1, 3, 2)


def test_or_who_says_not_the_same(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"), event(user="U2", mail="a@maison.fr"))
    (doubt,) = firm.know.review()
    firm.know.decide("never_link", doubt.one, doubt.other, "p1", "father and son")
    assert profile(firm, "U1") != profile(firm, "U2")
    assert firm.know.review() == ()
    (told,) = firm.know.explain("U2")
    assert [link.verdict for link in told.turned_down] == ["never_link"]


def test_an_approval_takes_a_never_back(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"))
    firm.know.unmerge("U1", "mail:a@maison.fr", "cli", "")
    one, other = (identities(firm).find(name) for name in ("U1", "mail:a@maison.fr"))
    firm.know.decide("approved", one, other, "p1", "")
    assert profile(firm, "U1") == profile(firm, "mail:a@maison.fr")
    assert people(firm).digest() == rebuilt(firm).digest()


def test_a_limit_changes_without_a_reload(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"), event(user="U2", mail="a@maison.fr"))
    strict = people(firm)
    wide = firm.again(make_blueprint(limits={"user": 2}))
    assert profile(wide, "U1") == profile(wide, "U2")
    assert people(wide).rules != strict.rules
    assert people(firm.again()).digest() == strict.digest()


def test_a_value_that_is_blocked_later_parts_whom_it_had_joined(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="desk@maison.fr"), event(mail="desk@maison.fr", phone="0612345678"))
    before = people(firm)
    blocking = firm.again(make_blueprint(blocked=("Desk@maison.fr",)))
    (told,) = blocking.know.explain("phone:0612345678")
    assert [link.verdict for link in told.turned_down] == ["blocked"]
    assert told.count == 1
    assert blocking.know.explain("mail:desk@maison.fr") == ()
    assert people(blocking).digest() == rebuilt(blocking).digest()
    # Taken off the list, it is who it was.
    assert people(firm.again()).digest() == before.digest()


def test_what_comes_after_new_rules_and_what_is_decided_then_replays_as_a_rebuild(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="desk@maison.fr"), event(mail="desk@maison.fr", phone="0612345678"))
    people(firm)
    blocking = firm.again(make_blueprint(blocked=("Desk@maison.fr",)))
    people(blocking)
    blocking.admit(event(user="U1", phone="0612345678"), event(user="U1", device="d1"))
    assert people(blocking).digest() == rebuilt(blocking).digest()
    changes = blocking.know.unmerge("U1", "phone:0612345678", "p1", "")
    moved = {change.identifier for change in changes}
    assert moved == {int(identities(blocking).pseudonyms_of("phone:0612345678")[0])}
    assert people(blocking).digest() == rebuilt(blocking).digest()


def test_what_is_written_otherwise_by_new_rules_is_one_person_without_a_reload(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parcours.know.identity import identifiers

    with monkeypatch.context() as old:
        old.setattr(identifiers, "NORMALISATION", 1)
        old.setattr(identifiers, "write_national", lambda text: None)
        older = firm.again()
        older.admit(event(user="2 95 10 99 126 111 93", device="d1"))
        people(older)
    firm = firm.again()
    firm.admit(event(user="295109912611193", mail="a@maison.fr"))
    (told,) = firm.know.explain("mail:a@maison.fr", unmasked=True)
    assert {one.shown for one in told.identifiers} == {
        "2 95 10 99 126 111 93", "295109912611193", "a@maison.fr", "d1",
    }  # fmt: skip
    assert people(firm).digest() == rebuilt(firm).digest()
    # A limit counts one who is written in two ways once; whoever joins later joins both ways of writing.
    firm.admit(event(user="295109912611193", mail="b@maison.fr"), event(user="295109912611193", device="d2"))
    assert people(firm).digest() == rebuilt(firm).digest()


def test_a_device_stays_shared_when_the_row_of_one_of_its_users_is_replaced(firm: Firm) -> None:
    firm.admit(event(user="U1", device="d1"))
    last = firm.manifest.next_event_no or 0
    firm.admit(event(user="U2", device="d1"))
    firm.door.withdraw([last])
    assert profile(firm, "device:d1") != profile(firm, "U1")
    assert people(firm).digest() == rebuilt(firm).digest()


def test_a_follower_reads_what_was_published_and_its_decisions_count_for_the_next_one(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"))
    firm.know.refresh(Silent())
    follower = Know(firm.folder, firm.blueprint, Settings(), follow=True)
    published = firm.know._identities._tables.fingerprint(IDENTITY)
    version = firm.know.version
    assert len(follower.unmerge("U1", "mail:a@maison.fr", "p1", "")) == 1
    assert firm.know._identities._tables.fingerprint(IDENTITY) == published
    assert firm.know.version != version
    assert profile(firm, "U1") != profile(firm, "mail:a@maison.fr")


@pytest.mark.parametrize("tables", ["identity_acts", "identity_changes", "shared_devices", "renamed"])
def test_a_line_that_was_altered_is_named(firm: Firm, tables: str, tmp_path: Path) -> None:
    firm.admit(event(user="U1", device="d1", mail="a@maison.fr"), event(user="U2", device="d1"))
    firm.know.unmerge("U1", "mail:a@maison.fr", "cli", "")
    firm.door.withdraw([1])
    blocking = firm.again(make_blueprint(blocked=("a@maison.fr",)))
    people(blocking)
    state = identities(blocking)._state
    column = {"identity_changes": "new_profile", "identity_acts": "one", "shared_devices": "event_no"}.get(
        tables, "stands_for"
    )
    assert state.execute(f"SELECT count(*) FROM {tables}")[0][0]
    state.execute(f"UPDATE {tables} SET {column} = {column} + 1")
    found = [
        error.code
        for part in (identities(blocking)._acts, identities(blocking)._shared, identities(blocking)._renamed)
        for error in part.verify()
    ]
    assert "row_damaged" in found


def test_alarms_are_said_of_what_fuses_people(firm: Firm) -> None:
    assert identities(firm).alarms() == ()
    firm.admit(*(event(user=f"U{number}", mail="a@maison.fr") for number in range(5)))
    said = [str(alarm) for alarm in identities(firm).alarms()]
    assert len(said) == 2
    assert "80%" in said[0]
    assert "1 address" in said[1]
    assert [str(one) for one in firm.know.warnings if str(one) in said] == said


def test_a_jump_of_the_biggest_profile_is_said(firm: Firm) -> None:
    firm.admit(event(user="U1", mail="a@maison.fr"))
    people(firm)
    firm.admit(*(event(user="U1", device=f"d{number}") for number in range(15)))
    assert any("went from 2 to 17" in str(alarm) for alarm in identities(firm).alarms())


def test_a_pseudonym_is_shown_as_an_empty_text_once_its_key_is_gone(firm: Firm) -> None:
    firm.admit(event(user="CUSTOMER-1"))
    one = identities(firm).find("CUSTOMER-1")
    identities(firm)._keys.destroy([one])
    assert firm.know.show_identifiers([one]) == [""]
    assert np.array_equal(people(firm).pseudonyms, [one])
