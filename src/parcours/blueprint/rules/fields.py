"""Rules about fields: each serves declared purposes for a time, and nothing derived from it serves any other."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.draft import Draft
from parcours.blueprint.reads import list_reads, tables_of
from parcours.blueprint.yaml_lines import Place
from parcours.errors import Fault
from parcours.words import Words

SENSITIVE_BASES = ("consent", "legal_obligation", "vital_interest", "public_task")
"""The bases that can go with an exception of GDPR art. 9(2); a contract or a legitimate interest never does."""


def find_foreign_purposes(draft: Draft) -> Iterator[Fault]:
    """A field for a purpose that is not declared."""
    known = draft.ids("purposes")
    for place, field in draft.items("fields"):
        for index, id in enumerate(field.purposes):
            if id and id not in known:
                yield draft.error(
                    "unknown_purpose",
                    (*place, "purposes", index),
                    Words(f"La finalité « {id} » n'existe pas.", f"The purpose “{id}” does not exist."),
                    Words(f"Choisissez parmi : {', '.join(known)}.", f"Choose one of: {', '.join(known)}."),
                )


def find_bad_field_retention(draft: Draft) -> Iterator[Fault]:
    """A field that would be kept for no day at all."""
    for place, field in draft.items("fields"):
        if field.retention_days is not None and field.retention_days < 1:
            yield draft.error(
                "retention_not_positive",
                (*place, "retention_days"),
                Words("La durée de conservation est d'au moins un jour.", "Retention is at least one day."),
                Words("Écrivez un nombre de jours, par exemple 365.", "Write a number of days, for instance 365."),
            )


def find_sensitive_fields_without_ground(draft: Draft) -> Iterator[Fault]:
    """A sensitive field (GDPR art. 9) that any purpose could read, or one whose basis can't carry it."""
    bases = {purpose.id: purpose.basis for purpose in draft.blueprint.purposes}
    for place, field in draft.items("fields"):
        if field.class_ != "sensitive":
            continue
        if not field.purposes:
            yield draft.error(
                "sensitive_without_purpose",
                place,
                Words(
                    f"Le champ « {field.id} » est sensible et ne dit pas pour quelles finalités.",
                    f"The field “{field.id}” is sensitive and does not say for which purposes.",
                ),
                Words("Ajoutez « purposes: [...] ».", "Add “purposes: [...]”."),
            )
        for index, id in enumerate(field.purposes):
            if bases.get(id, "consent") not in (*SENSITIVE_BASES, ""):
                yield draft.error(
                    "sensitive_needs_consent",
                    (*place, "purposes", index),
                    Words(
                        f"La base légale de « {id} » ne permet pas de données sensibles (RGPD, art. 9).",
                        f"The basis of “{id}” does not allow sensitive data (GDPR art. 9).",
                    ),
                    Words(
                        f"Choisissez une finalité dont la base est : {', '.join(SENSITIVE_BASES)}.",
                        f"Choose a purpose whose basis is one of: {', '.join(SENSITIVE_BASES)}.",
                    ),
                )


def find_fields_read_for_others(draft: Draft) -> Iterator[Fault]:
    """A measure, group or panel of a purpose that would read a field which is declared for others.

    What is derived serves no purpose that one of its inputs does not serve.
    """
    blueprint = draft.blueprint
    declared = {field.id: field.purposes for field in blueprint.fields if field.purposes}
    if not declared:
        return
    reads = {
        purpose.id: [one for table in tables_of(purpose) for one in list_reads(blueprint, table)]
        for purpose in blueprint.purposes
    }
    for purpose, places in reads.items():
        for place, field in dict.fromkeys(places):
            if purpose not in declared.get(field, (purpose,)):
                yield _not_for(draft, place, purpose, field, declared[field])


def _not_for(draft: Draft, place: Place, purpose: str, field: str, allowed: tuple[str, ...]) -> Fault:
    listed = ", ".join(allowed)
    return draft.error(
        "field_not_for_purpose",
        place,
        Words(
            f"« {purpose} » lirait ici le champ « {field} », déclaré pour : {listed}.",
            f"“{purpose}” would read the field “{field}” here, which is declared for: {listed}.",
        ),
        Words(
            f"Ajoutez « {purpose} » aux « purposes: » de ce champ si les personnes en ont été informées ; sinon "
            f"retirez de « {purpose} » les mesures qui le lisent.",
            f"Add “{purpose}” to the “purposes:” of this field if people were told so; otherwise take the measures "
            f"that read it away from “{purpose}”.",
        ),
    )


RULES = (
    find_foreign_purposes,
    find_bad_field_retention,
    find_sensitive_fields_without_ground,
    find_fields_read_for_others,
)
