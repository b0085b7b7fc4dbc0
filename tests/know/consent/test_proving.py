"""Tests of proof: every line opens its commitment, of erased people too, and what the chain denies is no proof."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from tests.know.conftest import Firm

from parcours.errors import ParcoursError
from parcours.know.state import open_state

YES, NO = {"consent_personalise": True}, {"consent_personalise": False}


def ordered(**ids: str) -> dict[str, object]:
    return {"name": "Ordered", **{f"id_{kind}": value for kind, value in ids.items()}}


def test_whoever_has_the_proof_checks_it_with_nothing_of_ours(firm: Firm) -> None:
    firm.admit(ordered(user="u1", mail="a@b.fr") | YES | {"choice_evidence": "tcf/read CPx"}, ordered(user="u2") | YES)
    proofs = firm.know.consents.prove("user:u1", "cli", "letter of the CNIL")
    assert [(one.state, one.evidence, one.sealed) for one in proofs] == [("granted", "tcf/read CPx", False)] * 2
    links = dict(open_state(firm.folder).execute("SELECT entry_no, hex(link) FROM consent"))
    for one in proofs:
        contents, salt = bytes.fromhex(one.contents), bytes.fromhex(one.salt)
        assert blake2b(contents, digest_size=32, salt=salt, person=b"consent line").hexdigest() == one.commitment
        assert links[one.entry_no] == one.link.upper()
    (entry,) = firm.know.audit.read()
    assert (entry.action, entry.reason) == ("export_proof", "letter of the CNIL")


def test_of_an_erased_person_the_sealed_lines_are_opened_to_whoever_shows_the_identifier(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES, ordered(mail="a@b.fr") | NO)
    for name in ("user:u1", "mail:a@b.fr"):
        firm.know._ledger.erase(firm.know._identities.pseudonyms_of(name))
    (one,) = firm.again().know.consents.prove("user:u1", "cli", "claim 12")
    assert (one.entry_no, one.state, one.sealed) == (1, "granted", True)
    held = open_state(firm.folder).execute("SELECT hex(commitment) FROM consent WHERE entry_no = 1")
    assert held == [(one.commitment.upper(),)]
    assert firm.again().know.consents.prove("mail:a@b.fr", "cli", "claim 13") == ()


def test_what_the_chain_denies_is_no_proof(firm: Firm) -> None:
    firm.admit(ordered(user="u1") | YES)
    open_state(firm.folder).execute("UPDATE consent SET made_ms = made_ms - 1")
    with pytest.raises(ParcoursError, match="state_damaged"):
        firm.again().know.consents.prove("user:u1", "cli", "claim")


@pytest.mark.parametrize(
    ("who", "reason", "code"), [("user:u1", " ", "reason_missing"), ("mail:x", "a", "unknown_customer")]
)
def test_no_proof_without_a_reason_or_a_person(firm: Firm, who: str, reason: str, code: str) -> None:
    firm.admit(ordered(user="u1") | YES)
    with pytest.raises(ParcoursError, match=code):
        firm.know.consents.prove(who, "cli", reason)
    assert firm.know.audit.read() == ()
