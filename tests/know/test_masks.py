"""Tests of masks: what identifies somebody by a number or an address is hidden, ordinary sentences are left alone."""

from __future__ import annotations

import pytest

from parcours.know.masks import mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Écrivez à claire.martin+achats@maison-riviere.fr svp", "Écrivez à [mail] svp"),
        ("Rappelez le 06 12 34 56 78 demain", "Rappelez le [phone] demain"),
        ("My number is +44 20 7946 0958.", "My number is [phone]."),
        ("IBAN FR76 3000 6000 0112 3456 7890 189 merci", "IBAN [iban] merci"),
        ("carte 4111 1111 1111 1111 débitée deux fois", "carte [card] débitée deux fois"),
        ("NIR 1 85 05 78 006 084 36", "NIR [nir]"),
        ("NIR 185057800608436", "NIR [nir]"),
        ("NIR 2 85 05 2A 006 084", "NIR [nir]"),
    ],
)
def test_what_identifies_is_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Livré le 12/03/2026 avec 2 jours de retard, commande 4512.",
        "3 colis sur 4, 25,90 € remboursés au bout de 15 jours !",
        "Great service, 10/10, would buy again in 2027.",
        "",
    ],
)
def test_ordinary_sentences_are_left_alone(text: str) -> None:
    assert mask(text) == text
