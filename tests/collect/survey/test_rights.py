"""What is told before answering: true to the purposes of the blueprint, in both languages."""

from __future__ import annotations

from typing import get_args

import pytest

from parcours.blueprint.records import Basis, Purpose
from parcours.collect.survey.rights import BASES, list_consents, needs_consent, say_span, tell_rights
from parcours.words import Language, Words


def make_purpose(basis: Basis, days: int | None = None) -> Purpose:
    """Return a purpose that rests on ``basis``."""
    return Purpose(id=basis, label=Words("Améliorer", "Improve"), basis=basis, retention_days=days)


@pytest.mark.parametrize("basis", get_args(Basis))
def test_each_basis_is_named_with_its_article(basis: Basis) -> None:
    letter = "abcdef"[get_args(Basis).index(basis)]
    assert f"6.1 {letter}" in BASES[basis].fr
    assert f"6(1)({letter})" in BASES[basis].en


@pytest.mark.parametrize(
    ("basis", "right"),
    [("legitimate_interest", "opposer"), ("public_task", "opposer"), ("consent", "retirer"), ("contract", "")],
)
def test_the_right_that_goes_with_the_basis_is_told_and_no_other(basis: Basis, right: str) -> None:
    told = " ".join(tell_rights([make_purpose(basis)], "Acme", "fr"))
    for word in ("opposer", "retirer"):
        assert (word in told) == (word == right)
    assert "« Améliorer »".replace(" ", "\u00a0") in told
    assert "écrivez à Acme" in told
    assert "n’est pas anonyme" in told
    assert "aucun cookie" in told


def test_every_purpose_is_told_with_how_long_it_lasts() -> None:
    told = tell_rights([make_purpose("consent", 1095), make_purpose("legitimate_interest")], "Acme", "en")
    assert sum("It serves to" in sentence for sentence in told) == 2
    assert "used for 3\u00a0years at most" in told[1]
    assert "at most" not in told[2]
    assert "You may object" in " ".join(told)
    assert "withdraw your consent" in " ".join(told)


@pytest.mark.parametrize(
    ("days", "language", "said"),
    [(365, "fr", "1 an"), (730, "fr", "2 ans"), (90, "en", "90 days"), (1, "en", "1 day"), (366, "fr", "366 jours"),
     (0, "fr", "0 jour"), (0, "en", "0 days")],
)  # fmt: skip
def test_spans_are_said_in_years_where_they_are_whole(days: int, language: Language, said: str) -> None:
    assert say_span(days, language) == said.replace(" ", "\u00a0")


def test_consents_are_the_purposes_that_rest_on_one() -> None:
    consent, interest = make_purpose("consent"), make_purpose("legitimate_interest")
    assert list_consents([consent, interest]) == (consent,)
    assert needs_consent([consent])
    assert not needs_consent([consent, interest])
