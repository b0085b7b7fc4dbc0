"""The masks of a comment, said in the reader's language: the vault writes one token for each kind."""

from __future__ import annotations

from parcours.words import Language, Words

MASKS = {
    "[mail]": Words(fr="[e-mail]", en="[e-mail]"),
    "[phone]": Words(fr="[téléphone]", en="[phone]"),
    "[card]": Words(fr="[carte]", en="[card]"),
    "[nir]": Words(fr="[NIR]", en="[NIR]"),
    "[iban]": Words(fr="[IBAN]", en="[IBAN]"),
}


def say_masks(text: str, language: Language) -> str:
    """Return ``text`` with its masks in ``language``."""
    for token, words in MASKS.items():
        text = text.replace(token, words.in_language(language))
    return text
