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
        ("DE89 3704 0044 0532 0130 00 et NL91ABNA0417164300", "[iban] et [iban]"),
        ("compte be12 du FR7630006000011234567890189, clos", "compte be12 du [iban], clos"),
        ("carte 4111 1111 1111 1111 12/27, 123", "carte [card] 12/27, 123"),
        ("4111111111111111 ou 5555-5555-5555-4444", "[card] ou [card]"),
        ("dossier 12 4111 1111 1111 1111", "dossier 12 [card]"),
        ("06.12.34.56.78/07.11.22.33.44", "[phone]/[phone]"),
        ("0612345678,0711223344 ou tél.06 12 34 56 78", "[phone],[phone] ou tél.[phone]"),
        ("carte 4111 1111 1111 1111 débitée deux fois", "carte [card] débitée deux fois"),
        ("NIR 1 85 05 78 006 084 36", "NIR [nir]"),
        ("NIR 185057800608436", "NIR [nir]"),
        ("NIR 2.39.01.19.312.862.74", "NIR [nir]"),
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
        # The key of what looks like an IBAN is right; no country has such numbers.
        "Attente et17 min le sans annonce aucune tout, 12 colis le 03/04/2026.",
        # Luhn holds, and no card begins like this or is as long.
        "Colis 1111111111111117, facture 41111111111112, le 03/04/2026.",
        "Great service, 10/10, would buy again in 2027.",
        "",
    ],
)
def test_ordinary_sentences_are_left_alone(text: str) -> None:
    assert mask(text) == text
