"""Tests of reasons: one is noted before anything is shown, and holds a while for one session and one thing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from firm import Firm
from served_people import Served, serve_people

from parcours.know import Role, Thing
from parcours.workspaces.forms import sign
from parcours.workspaces.reasons import LASTS_S, Reasons, ask_reason, has_reason

PROFILE = Thing("profile", "00000000000000ab")


class AccountFirm(Firm):
    """A firm that knows whose account a customer is of."""

    def accounts_of(self, profile: str) -> tuple[str, ...]:
        return ("segment:loyal",) if profile == PROFILE.id else ()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = serve_people(AccountFirm(tmp_path_factory.mktemp("reasons")))
    yield served
    served.close()


def fields_of(served: Served, role: Role, action: str, thing: Thing = PROFILE) -> dict[str, str]:
    """Return the fields of the form as a page offers it to somebody of this role."""
    with served.asking(role):
        form = ask_reason(action, thing, f"customer/{thing.id}", "en")  # type: ignore[arg-type]
        assert form is not None
        return {"kind": form.kind, "thing": form.thing, "back": form.back, "token": form.token, "reason": "complaint"}


def test_a_reason_is_noted_and_lets_that_session_look_at_that_customer(served: Served) -> None:
    for action in ("see_customer", "unmask"):
        with served.asking("dpo"):
            assert not has_reason(action, PROFILE)
        fields = fields_of(served, "dpo", action) | {"reference": "case 12/a"}
        answer = served.client("dpo").post(f"/en/reason/{action}", data=fields, headers=served.ours)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/en/customer/{PROFILE.id}")
        entry = served.access.audit.read(limit=1)[0]
        assert (entry.action, entry.thing, entry.outcome) == (action, PROFILE.id, "done")
        assert entry.reason == "complaint case 12/a"
        with served.asking("dpo"):
            assert has_reason(action, PROFILE)
            assert ask_reason(action, PROFILE, "map", "en") is None
            assert not has_reason(action, Thing("profile", "00000000000000ac"))
        with served.asking("cem"):
            assert not has_reason(action, PROFILE)


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "curiosity"}, {"reference": "jean@example.org"}, {"token": "1.a"}]
)
def test_without_a_reason_nothing_is_shown(served: Served, wrong: dict[str, str]) -> None:
    fields = fields_of(served, "cem", "unmask", Thing("profile", "00000000000000cc")) | wrong
    before = served.access.audit.read(limit=1)
    answer = served.client("cem").post("/en/reason/unmask", data=fields, headers=served.ours)
    assert answer.status_code == 403
    with served.asking("cem"):
        assert not has_reason("unmask", Thing("profile", "00000000000000cc"))
    assert served.access.audit.read(limit=1) == before


def test_a_form_for_one_customer_is_none_for_another(served: Served) -> None:
    fields = fields_of(served, "dpo", "unmask", Thing("profile", "00000000000000aa")) | {"thing": "00000000000000bb"}
    assert served.client("dpo").post("/en/reason/unmask", data=fields, headers=served.ours).status_code == 403
    with served.asking("dpo"):
        assert not has_reason("unmask", Thing("profile", "00000000000000bb"))


def test_it_leads_back_to_a_page_of_ours_alone(served: Served) -> None:
    fields = fields_of(served, "dpo", "unmask", Thing("profile", "00000000000000dd")) | {"back": "https://example.org/"}
    assert served.client("dpo").post("/en/reason/unmask", data=fields, headers=served.ours).status_code == 403


def test_a_csm_unmasks_customers_of_their_own_accounts_alone(served: Served) -> None:
    mine = served.find("profile", PROFILE.id)
    theirs = served.find("profile", "00000000000000ff")
    with served.asking("csm"):
        assert ask_reason("unmask", mine, "map", "fr") is not None
        assert ask_reason("unmask", theirs, "map", "fr") is None
    fields = fields_of(served, "csm", "unmask", mine)
    assert served.client("csm").post("/en/reason/unmask", data=fields, headers=served.ours).status_code == 303


def test_a_form_that_was_given_while_it_was_ones_own_is_refused_afterwards(served: Served) -> None:
    theirs = "00000000000000fe"
    with served.asking("csm"):
        token = sign("reason_unmask", "profile", theirs, "/en/map")
    fields = {"kind": "profile", "thing": theirs, "back": "/en/map", "token": token, "reason": "check"}
    answer = served.client("csm").post("/en/reason/unmask", data=fields, headers=served.ours)
    assert answer.status_code == 403
    entry = served.access.audit.read(limit=1)[0]
    assert (entry.action, entry.outcome) == ("unmask", "refused")
    with served.asking("csm"):
        assert not has_reason("unmask", Thing("profile", theirs, accounts=("segment:loyal",)))


@pytest.mark.parametrize("role", ["cco", "cmo", "sales", "finance", "it"])
def test_roles_that_may_not_unmask_are_offered_no_form(served: Served, role: Role) -> None:
    with served.asking(role):
        assert ask_reason("unmask", PROFILE, "map", "en") is None
        assert not has_reason("unmask", PROFILE)


def test_a_reason_is_over_after_a_few_minutes() -> None:
    now = [100.0]
    reasons = Reasons(lambda: now[0])
    reasons.give("session", "unmask", "profile", "1")
    assert reasons.holds("session", "unmask", "profile", "1")
    for other in (("another", "unmask", "profile", "1"), ("session", "see_customer", "profile", "1")):
        assert not reasons.holds(*other)  # type: ignore[arg-type]
    assert not reasons.holds("session", "unmask", "profile", "2")
    assert not reasons.holds("session", "unmask", "request", "1")
    now[0] += LASTS_S - 1
    assert reasons.holds("session", "unmask", "profile", "1")
    now[0] += 1
    assert not reasons.holds("session", "unmask", "profile", "1")


def test_the_form_says_in_both_languages_what_becomes_of_the_reason(served: Served) -> None:
    for language, word in (("fr", "journal d’audit"), ("en", "audit log")):
        with served.asking("dpo"):
            form = ask_reason("unmask", Thing("profile", "00000000000000ee"), "map", language)  # type: ignore[arg-type]
        assert form is not None
        assert word in form.says
        assert len(form.reasons) == 4
