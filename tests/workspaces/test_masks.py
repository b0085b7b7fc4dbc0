"""Masks are said in the reader's language."""

from __future__ import annotations

from parcours.know import masks
from parcours.workspaces.masks import MASKS, say_masks


def test_every_mask_is_said_in_the_readers_language() -> None:
    told = "Appelez le [phone] ou [mail], carte [card], [nir], [iban] [autre]."
    assert say_masks(told, "fr") == "Appelez le [téléphone] ou [e-mail], carte [carte], [NIR], [IBAN] [autre]."
    assert say_masks(told, "en") == "Appelez le [phone] ou [e-mail], carte [card], [NIR], [IBAN] [autre]."


def test_no_token_of_the_vault_is_forgotten() -> None:
    written = masks.mask("moi@exemple.fr, 06 12 34 56 78, FR7630006000011234567890189, 4111 1111 1111 1111")
    assert [token for token in MASKS if token in written] == ["[mail]", "[phone]", "[card]", "[iban]"]
