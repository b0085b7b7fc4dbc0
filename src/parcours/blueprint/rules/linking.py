"""Rules about who may be one person and who belongs together: what is compared is personal, thresholds fit."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.draft import Draft, is_known
from parcours.blueprint.records import Link
from parcours.blueprint.yaml_lines import Place
from parcours.errors import Fault
from parcours.words import Words

IDENTIFIERS = ("mail", "phone")
"""Identifiers whose own values may be compared: a letter may be wrong in them."""

LEAST_PAUSE_MS = 60_000


def find_unsealed_comparisons(draft: Draft) -> Iterator[Fault]:
    """A compared field that is not personal: its raw values would have to lie in parts."""
    for place, field in _named_fields(draft):
        if field and field not in _allowed(draft, place):
            yield draft.error(
                "field_not_personal",
                place,
                Words(f"Le champ « {field} » n'est pas personnel.", f"The field “{field}” is not a personal one."),
                Words(
                    f"Déclarez-le sous fields : {{id: {field}, kind: personal}} ; ses valeurs restent dans le coffre.",
                    f"Declare it under fields: {{id: {field}, kind: personal}}; its values stay in the vault.",
                ),
            )


def find_comparisons_for_others(draft: Draft) -> Iterator[Fault]:
    """A compared field that is declared for other purposes than that of the comparison."""
    link = draft.blueprint.link
    for index, one in enumerate(link.compare if link else ()):
        if link and one.field in draft.blueprint.hidden_from(link.purpose):
            yield draft.error(
                "field_not_for_purpose",
                ("link", "compare", index, "field"),
                Words(
                    f"Le champ « {one.field} » n'est pas déclaré pour la finalité « {link.purpose} ».",
                    f"The field “{one.field}” is not declared for the purpose “{link.purpose}”.",
                ),
                Words("Ajoutez-la à ses purposes, ou ne le comparez pas.", "Add it to its purposes, or leave it out."),
            )


def find_poor_comparisons(draft: Draft) -> Iterator[Fault]:
    """Fewer than two fields that are compared, or one of them twice."""
    link = draft.blueprint.link
    if link is None:
        return
    names = [one.field for one in link.compare]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            yield draft.error(
                "compared_twice",
                ("link", "compare", index, "field"),
                Words(f"Le champ « {name} » est comparé deux fois.", f"The field “{name}” is compared twice."),
                Words("Gardez une seule des deux lignes.", "Keep one of the two lines."),
            )
    if len(set(names)) < 2:
        yield draft.error(
            "too_few_comparisons",
            ("link", "compare"),
            Words("Il faut comparer deux champs au moins.", "Two fields at least must be compared."),
            Words(
                "Une seule valeur en commun ne fait pas une même personne : ajoutez un champ.",
                "One value in common does not make one person: add a field.",
            ),
        )


def find_unknown_blocks(draft: Draft) -> Iterator[Fault]:
    """A group of fields in common that names one which is not compared, or none at all."""
    link = draft.blueprint.link
    for index, group in enumerate(link.block if link else ()):
        known = {one.field for one in link.compare} if link else set()
        wrong = [field for field in group if field not in known]
        if wrong or not group:
            yield draft.error(
                "unknown_block",
                ("link", "block", index),
                Words(
                    f"Ce groupe nomme des champs qui ne sont pas comparés : {', '.join(wrong) or '(vide)'}.",
                    f"This group names fields that are not compared: {', '.join(wrong) or '(empty)'}.",
                ),
                Words(f"Choisissez parmi : {', '.join(sorted(known))}.", f"Choose among: {', '.join(sorted(known))}."),
            )


def find_bad_thresholds(draft: Draft) -> Iterator[Fault]:
    """Thresholds that are no probability and no weight, or a review band that ends before it begins."""
    link = draft.blueprint.link
    if link is None or not (is_known(link.accept) and is_known(link.review)):
        return
    if link.accept <= 0 or link.review <= 0 or not _in_order(link):
        yield draft.error(
            "bad_thresholds",
            ("link", "accept") if draft.raw(("link", "accept")) is not None else ("link",),
            Words(
                f"Les seuils ne vont pas : accept {link.accept:g}, review {link.review:g}.",
                f"The thresholds do not fit: accept {link.accept:g}, review {link.review:g}.",
            ),
            Words(
                "Écrivez des probabilités entre 0 et 1, ou des poids en bits dès 1, review au plus égal à accept.",
                "Write probabilities between 0 and 1, or weights in bits from 1 on, review no higher than accept.",
            ),
        )


def find_hasty_linking(draft: Draft) -> Iterator[Fault]:
    """Batches that would follow each other without a pause."""
    link = draft.blueprint.link
    if link is None or link.every_ms is None or not is_known(link.every_ms) or link.every_ms >= LEAST_PAUSE_MS:
        return
    yield draft.error(
        "link_too_often",
        ("link", "every"),
        Words("Une minute au moins passe entre deux rapprochements.", "At least a minute passes between two batches."),
        Words("Écrivez par exemple « every: 1d ».", "Write for instance “every: 1d”."),
    )


RULES = (
    find_hasty_linking,
    find_unsealed_comparisons,
    find_comparisons_for_others,
    find_poor_comparisons,
    find_unknown_blocks,
    find_bad_thresholds,
)


def _in_order(link: Link) -> bool:
    accept, review = link.weights()
    return review <= accept


def _named_fields(draft: Draft) -> Iterator[tuple[Place, str]]:
    link = draft.blueprint.link
    for index, one in enumerate(link.compare if link else ()):
        yield ("link", "compare", index, "field"), one.field
    for place, layer in draft.items("layers"):
        yield from (((*place, "same", index), field) for index, field in enumerate(layer.same))


def _allowed(draft: Draft, place: Place) -> set[str]:
    personal = set(draft.blueprint.personal_fields())
    return personal | set(IDENTIFIERS) if place[0] == "link" else personal
