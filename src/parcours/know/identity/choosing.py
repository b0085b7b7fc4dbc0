"""The two identifiers that a person decides about: which ones are meant, and whether it can be decided at all."""

from __future__ import annotations

import numpy as np

from parcours.collect.door import IDENTIFIERS
from parcours.errors import ParcoursError
from parcours.know.identity.acts import APPROVED, Ruling
from parcours.know.identity.shared import DEVICE
from parcours.know.identity.standing import Standing
from parcours.know.pseudonyms import Numbers, types_of
from parcours.words import Words

_WRITE = Words(
    fr="Écrivez TYPE:VALEUR, avec pour type user, mail, phone ou device.",
    en="Write KIND:VALUE, where the kind is user, mail, phone or device.",
)


def choose(identifier: str, known: Numbers) -> int:
    """Return the one of ``known``, the pseudonyms that ``identifier`` has.

    Raises:
        ParcoursError: ``unknown_identifier`` or ``ambiguous_identifier``.
    """
    if len(known) > 1:
        kinds = ", ".join(IDENTIFIERS[kind] for kind in types_of(known).tolist())
        raise ParcoursError(
            "ambiguous_identifier",
            Words(
                fr=f"« {identifier} » est connu comme plusieurs identifiants : {kinds}.",
                en=f"“{identifier}” is known as several identifiers: {kinds}.",
            ),
            _WRITE,
        )
    if not len(known):
        raise unknown_identifier(identifier)
    return int(known[0])


def check_pair(decision: Ruling, one: int, other: int, standing: Standing) -> None:
    """Raise unless a person may decide so about two identifiers.

    Raises:
        ParcoursError: ``unknown_identifier``, ``not_a_pair`` or ``not_an_account``.
    """
    for pseudonym in (one, other):
        if standing.profile(pseudonym) < 0:
            raise unknown_identifier(f"{pseudonym:016x}")
    if one == other:
        raise ParcoursError(
            "not_a_pair",
            Words(fr="C'est deux fois le même identifiant.", en="That is the same identifier twice."),
            Words(fr="Donnez deux identifiants différents.", en="Give two different identifiers."),
        )
    if decision == APPROVED and (types_of(np.array([one, other])) == DEVICE).any():
        raise ParcoursError(
            "not_an_account",
            Words(
                fr="Un appareil n'est à une personne que par les liens vus : on n'approuve que des comptes.",
                en="A device is somebody's by the edges that were seen alone: only accounts are approved.",
            ),
            Words(
                fr="Donnez deux identifiants de type user, mail ou phone.",
                en="Give two identifiers of the kinds user, mail or phone.",
            ),
        )


def unknown_identifier(identifier: str) -> ParcoursError:
    """Return the error for an identifier that nobody has."""
    sentence = Words(
        fr=f"Personne n'a l'identifiant « {identifier} ».", en=f"Nobody has the identifier “{identifier}”."
    )
    kind, colon, _ = identifier.partition(":")
    if colon and kind not in IDENTIFIERS:
        sentence = Words(
            fr=f"{sentence.fr} « {kind} » n'est pas un type d'identifiant.",
            en=f"{sentence.en} “{kind}” is no kind of identifier.",
        )
    return ParcoursError("unknown_identifier", sentence, _WRITE)
