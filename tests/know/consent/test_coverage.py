"""Tests of coverage: the states of all customers add up, and say of how many the purpose may see anything."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.know.conftest import Firm, make_blueprint

from parcours.know import STATES, Counts

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "12"))
PURPOSES = ("improve", "personalise")
PEOPLE = 6

Choice = tuple[tuple[int, str, str], bool]

CHOICE = st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(("user", "device")), st.sampled_from(PURPOSES))
CHOICES = st.lists(st.tuples(CHOICE, st.booleans()), max_size=10)
RESTRICTED = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.booleans()), max_size=3)


def count(firm: Firm) -> dict[str, Counts]:
    return {one.purpose: one.whole for one in firm.know.consents.overview().coverage}


def restrict(firm: Firm, user: str, objects: bool) -> None:
    """Restrict somebody's use, or have their objection to `improve` weighed."""
    if objects:
        firm.know.restricting.object_to(f"user:{user}", "improve", "cli", "call")
    else:
        firm.know.restricting.restrict(f"user:{user}", "cli", "contests it")


def check(firm: Firm) -> None:
    """Whatever was chosen: everybody is in one state, and who may be seen follows from it."""
    basis = {one.id: one.basis for one in firm.blueprint.purposes}
    for one in firm.know.consents.overview().coverage:
        for counts in (one.whole, *one.channels.values()):
            assert counts.n == sum(getattr(counts, state) for state in STATES)
            seen = counts.granted if basis[one.purpose] == "consent" else counts.granted + counts.silent
            assert counts.allowed == seen, (one.purpose, counts)
        asked = [firm.know.may(f"user:u{number}", one.purpose) for number in range(PEOPLE)]
        assert one.whole.allowed == sum(verdict.allowed for verdict in asked)
        assert one.whole.restricted == sum(verdict.code in ("restricted", "weighed") for verdict in asked)


@settings(max_examples=EXAMPLES, deadline=None)
@given(CHOICES, CHOICES, RESTRICTED, st.booleans())
def test_states_add_up_whatever_is_chosen_restricted_and_declared_anew(
    before: list[Choice], after: list[Choice], restricted: list[tuple[int, bool]], anew: bool
) -> None:
    with TemporaryDirectory() as folder:
        firm = Firm(Path(folder))
        ids = [{"id_user": f"u{number}", "id_device": f"d{number}"} for number in range(PEOPLE)]
        firm.admit(*({"name": "Ordered", **one} for one in ids))
        choose(firm, before)
        if anew:
            purposes = tuple(msgspec.structs.replace(one, version=2) for one in firm.blueprint.purposes)
            firm = firm.again(make_blueprint(purposes=purposes))
        choose(firm, after)
        for person, objects in restricted:
            restrict(firm, f"u{person}", objects)
        check(firm)


def choose(firm: Firm, choices: list[Choice]) -> None:
    for (person, kind, purpose), granted in choices:
        firm.know.consents.record(f"{kind}:{kind[0]}{person}", purpose, granted, "cli", "call")


def test_who_is_restricted_or_waits_for_an_answer_is_counted_as_that_alone(firm: Firm) -> None:
    firm.admit(
        *({"name": "Ordered", "id_user": f"u{number}", "consent_personalise": number < 3} for number in range(6))
    )
    restrict(firm, "u1", objects=False)
    restrict(firm, "u5", objects=True)
    assert count(firm) == {
        "improve": Counts(n=6, allowed=4, silent=4, restricted=2),
        "personalise": Counts(n=6, allowed=2, granted=2, denied=3, restricted=1),
    }
    sentences = [str(one) for one in firm.know.events_for("improve").warnings]
    assert sentences == [
        "“improve” does not use the data of 2 of 6 customers: a restriction was asked for, or an objection is being "
        "weighed (GDPR art. 18)."
    ]
    codes = [firm.know.may(f"user:{user}", "improve").code for user in ("u1", "u5")]
    assert codes == ["restricted", "weighed"]


def test_a_refusal_of_what_the_purpose_was_before_is_counted(firm: Firm) -> None:
    firm.admit(*({"name": "Ordered", "id_user": f"u{number}"} for number in range(5)))
    for user in ("u0", "u1"):
        firm.know.consents.record(f"user:{user}", "improve", False, "cli", "call")
    purposes = tuple(msgspec.structs.replace(one, version=2) for one in firm.blueprint.purposes)
    assert count(firm.again(make_blueprint(purposes=purposes)))["improve"] == Counts(n=5, allowed=3, denied=2, silent=3)
