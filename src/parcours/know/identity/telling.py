"""A proof in words: every edge a sentence, in French and in English."""

from __future__ import annotations

import numpy as np

from parcours.charts.numbers import write_number
from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.proof import Explanation, Identifier, Link
from parcours.know.identity.review import Doubt
from parcours.know.pseudonyms import types_of
from parcours.words import Words

KINDS = {
    "user": Words(fr="compte", en="account"),
    "mail": Words(fr="e-mail", en="mail"),
    "phone": Words(fr="téléphone", en="phone"),
    "device": Words(fr="appareil", en="device"),
}
MANY = {
    "user": Words(fr="comptes", en="accounts"),
    "mail": Words(fr="e-mails", en="mails"),
    "phone": Words(fr="téléphones", en="phones"),
    "device": Words(fr="appareils", en="devices"),
}
GONE = Words(fr="(effacé)", en="(erased)")

_BECAME = {
    "merged": Words(fr="a réuni deux profils", en="joined two profiles"),
    "redundant": Words(fr="redit ce que d'autres liens montraient", en="says again what other edges had shown"),
    "shared": Words(
        fr="observé seulement : cet appareil a servi à plusieurs personnes",
        en="observed only: several people used this device",
    ),
    "blocked": Words(
        fr="écarté : l'une des deux valeurs ne désigne personne", en="set aside: one of the two values names nobody"
    ),
    "never_link": Words(
        fr="refusé : quelqu'un a dit que ce sont deux personnes", en="refused: somebody said that these are two people"
    ),
}


def name_identifier(one: Identifier) -> Words:
    """Return an identifier with its type."""
    kind = KINDS[one.kind]
    return Words(fr=f"{kind.fr} {one.shown or GONE.fr}", en=f"{kind.en} {one.shown or GONE.en}")


def tell_link(told: Explanation, link: Link) -> Words:
    """Return an edge in a sentence: its identifiers, where it was seen, and what became of it."""
    one, other = (name_identifier(told.identifiers[place]) for place in (link.one, link.other))
    where, became = _tell_origin(link), tell_verdict(link.verdict, link.limit)
    return Words(
        fr=f"{one.fr} – {other.fr} ({where.fr}) : {became.fr}", en=f"{one.en} – {other.en} ({where.en}): {became.en}"
    )


def tell_verdict(verdict: str, limit: str = "") -> Words:
    """Return what became of an edge."""
    if verdict != "refused":
        return _BECAME[verdict]
    many = MANY[limit]
    return Words(
        fr=f"refusé : une même personne aurait trop de {many.fr}",
        en=f"refused: one person would have too many {many.en}",
    )


def tell_weight(weight_milli: int) -> Words:
    """Return a match weight in bits."""
    fr, en = (write_number(weight_milli / 1000, language, 1) for language in ("fr", "en"))
    return Words(fr=f"poids {fr} bits", en=f"weight {en} bits")


def tell_doubt(doubt: Doubt, via: str) -> Words:
    """Return what speaks for a pair that waits, and what keeps it from being one; ``via`` is shown as it stands."""
    told = []
    if doubt.via in (doubt.one, doubt.other):
        told.append(Words(fr="vus ensemble dans un événement", en="seen together in an event"))
    elif doubt.via is not None:
        kind = KINDS[IDENTIFIERS[int(types_of(np.array([doubt.via]))[0])]]
        shown = Words(fr=via or GONE.fr, en=via or GONE.en)
        told.append(Words(fr=f"tous deux avec le même {kind.fr} {shown.fr}", en=f"both with {kind.en} {shown.en}"))
    if doubt.weight_milli is not None:
        weight = tell_weight(doubt.weight_milli)
        told.append(Words(fr=f"rapprochés par comparaison, {weight.fr}", en=f"alike by comparison, {weight.en}"))
    if doubt.limit:
        told.append(tell_verdict("refused", doubt.limit))
    return Words(fr=" ; ".join(one.fr for one in told), en="; ".join(one.en for one in told))


def _tell_origin(link: Link) -> Words:
    if link.origin == "approved":
        return Words(
            fr=f"approuvé par une personne, acte {link.event_no}", en=f"approved by a person, act {link.event_no}"
        )
    if link.origin == "scored" and link.weight_milli is not None:
        weight = tell_weight(link.weight_milli)
        return Words(fr=f"rapproché par comparaison, {weight.fr}", en=f"matched by comparison, {weight.en}")
    if not link.source:
        return Words(fr=f"événement {link.event_no}", en=f"event {link.event_no}")
    return Words(fr=f"événement {link.event_no} de {link.source}", en=f"event {link.event_no} from {link.source}")
