"""Tests of the scope of a choice: the account or the device, and of many choices of one person the strictest."""

from __future__ import annotations

from tests.know.conftest import Firm

from parcours.know.identity.acts import NEVER_LINK, Acts
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.settings import Settings

PURPOSE = "personalise"
YES, NO = {f"consent_{PURPOSE}": True}, {f"consent_{PURPOSE}": False}
CONSENTED = 2


def stamped(firm: Firm, *events: dict[str, object]) -> list[bool]:
    """Return which of these events the door permits for the purpose."""
    return [bool(bits & CONSENTED) for bits in firm.admit(*events).rows.column("permitted").to_pylist()]


def seen(firm: Firm) -> int:
    """Return how many touches the purpose sees now."""
    return len(firm.again().rows(PURPOSE, "touches"))


def ordered(**ids: str) -> dict[str, object]:
    return {"name": "Ordered", **{f"id_{kind}": value for kind, value in ids.items()}}


def test_an_account_s_consent_does_not_speak_for_the_logged_out_device(firm: Firm) -> None:
    together = ordered(user="u1", device="d1") | YES
    assert stamped(firm, together, ordered(user="u1"), ordered(device="d1")) == [True, True, False]
    assert firm.know.may("device:d1", "improve").allowed


def test_an_account_s_refusal_does_not_alter_what_the_device_chose(firm: Firm) -> None:
    alone = ordered(device="d1") | YES
    together = ordered(user="u1", device="d1") | NO
    # Logged in, both are there and the strictest counts; logged out, the device's own choice is what it was.
    assert stamped(firm, alone, together, ordered(device="d1")) == [True, False, True]


def test_a_device_s_refusal_does_not_alter_the_account(firm: Firm) -> None:
    firm.admit(ordered(device="d1") | NO, ordered(user="u1") | YES)
    assert stamped(firm, ordered(user="u1"), ordered(user="u1", device="d1"), ordered(device="d1")) == [
        True, False, False,
    ]  # fmt: skip


def test_over_a_merged_person_the_most_restrictive_of_the_recorded_choices_wins(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES, ordered(mail="a@b.fr") | NO)
    assert seen(firm) == 1
    firm.admit(ordered(user="u1", mail="a@b.fr"))
    assert seen(firm) == 0
    verdict = firm.again().know.may("user:u1", PURPOSE)
    assert (verdict.allowed, verdict.code) == (False, "refused")


def test_an_identifier_without_a_record_takes_nothing_away(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES, ordered(user="u1", mail="a@b.fr", phone="0612345678", device="d1"))
    assert seen(firm) == 2
    assert firm.again().know.may("mail:a@b.fr", PURPOSE).allowed


def test_after_an_unmerge_each_has_their_own_choices_again(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES, ordered(mail="a@b.fr") | NO, ordered(user="u1", mail="a@b.fr"))
    assert seen(firm) == 0
    one, other = (int(firm.know._identities.pseudonyms_of(name)[0]) for name in ("user:u1", "mail:a@b.fr"))
    acts = Acts(open_state(firm.folder), open_keys(firm.folder, Settings())[0])
    acts.append(NEVER_LINK, one, other, 3, "cli", "two people at one till")
    again = firm.again()
    assert [len(again.rows(PURPOSE, "touches"))] == [1]
    assert again.know.may("user:u1", PURPOSE).allowed
    assert not again.know.may("mail:a@b.fr", PURPOSE).allowed
