"""Rules about purposes: each has a legal basis, each measure has a purpose, and the limits make sense."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.draft import Draft
from parcours.blueprint.records import MEASURES
from parcours.errors import Fault
from parcours.words import Words

MOST_IDENTIFIERS = 1000
MOST_YEARS = 30


def find_baseless_purposes(draft: Draft) -> Iterator[Fault]:
    """A purpose without a legal basis: no row may be read for it."""
    for place, purpose in draft.items("purposes"):
        if draft.raw((*place, "basis")) is None:
            yield draft.error(
                "purpose_without_basis",
                place,
                Words(
                    f"La finalité « {purpose.id} » n'a pas de base légale.",
                    f"The purpose “{purpose.id}” has no legal basis.",
                ),
                Words(
                    "Ajoutez « basis: » (RGPD, art. 6) : consent, contract, legal_obligation, vital_interest, "
                    "public_task ou legitimate_interest ; votre DPO sait laquelle.",
                    "Add “basis:” (GDPR art. 6): consent, contract, legal_obligation, vital_interest, "
                    "public_task or legitimate_interest; your DPO knows which.",
                ),
            )


def find_uncovered_measures(draft: Draft) -> Iterator[Fault]:
    """A measure that no purpose covers: it will not be computed."""
    purposes = draft.blueprint.purposes
    covered = {name for purpose in purposes for name in purpose.measures}
    missing = [name for name in MEASURES if name not in covered]
    if missing and "all" not in covered:
        listed = ", ".join(missing)
        yield draft.warning(
            "measure_without_purpose",
            ("purposes",),
            Words(f"Aucune finalité ne couvre : {listed}.", f"No purpose covers: {listed}."),
            Words(
                "Elles ne seront pas calculées ; ajoutez-les sous « measures: » d'une finalité si vous les voulez.",
                "They will not be computed; add them under “measures:” of a purpose if you want them.",
            ),
        )


def find_bad_retention(draft: Draft) -> Iterator[Fault]:
    """A retention of no days at all."""
    for place, purpose in draft.items("purposes"):
        if purpose.retention_days is not None and purpose.retention_days < 1:
            yield draft.error(
                "retention_not_positive",
                (*place, "retention_days"),
                Words("La durée de conservation est d'au moins un jour.", "Retention is at least one day."),
                Words("Écrivez un nombre de jours, par exemple 1095.", "Write a number of days, for instance 1095."),
            )


def find_bad_marketing(draft: Draft) -> Iterator[Fault]:
    """Direct marketing on a basis that it cannot have: nobody must receive it, and anybody may object."""
    for place, purpose in draft.items("purposes"):
        if purpose.marketing and purpose.basis in ("legal_obligation", "vital_interest", "public_task", "contract"):
            yield draft.error(
                "marketing_basis",
                (*place, "marketing"),
                Words(
                    f"La prospection ne peut pas reposer sur « {purpose.basis} » : on peut toujours s'y opposer "
                    "(RGPD, art. 21(2)).",
                    f"Direct marketing cannot rest on “{purpose.basis}”: anybody may object to it (GDPR art. 21(2)).",
                ),
                Words(
                    "Écrivez « basis: consent » ou « basis: legitimate_interest », ou retirez « marketing: true ».",
                    "Write “basis: consent” or “basis: legitimate_interest”, or take “marketing: true” away.",
                ),
            )


def find_bad_retained(draft: Draft) -> Iterator[Fault]:
    """What the law keeps: of events and fields that are declared, for some years."""
    known = {match.name for match in draft.blueprint.matches()}
    kept = {*draft.blueprint.field_kinds(), *draft.blueprint.objects}
    for place, rule in draft.items("retained"):
        if rule.years < 1 or rule.years > MOST_YEARS:
            yield draft.error(
                "years_out_of_range",
                (*place, "years"),
                Words(f"Les années sont entre 1 et {MOST_YEARS}.", f"Years are between 1 and {MOST_YEARS}."),
                Words(
                    "Écrivez ce que la loi dit : 10 pour une facture.", "Write what the law says: 10 for an invoice."
                ),
            )
        for section, names, declared in (("events", rule.events, known), ("fields", rule.fields, kept)):
            for name in sorted(set(names) - declared):
                yield draft.error(
                    "retained_unknown",
                    (*place, section),
                    Words(f"Le blueprint n'emploie pas « {name} ».", f"The blueprint does not use “{name}”."),
                    Words(
                        f"Nommez un événement, un champ ou un objet du blueprint : {', '.join(sorted(declared)[:12])}.",
                        f"Name an event, a field or an object of the blueprint: {', '.join(sorted(declared)[:12])}.",
                    ),
                )


def find_bad_limits(draft: Draft) -> Iterator[Fault]:
    """A limit on the identifiers of one person that would join nobody, or everybody."""
    for kind, most in draft.blueprint.limits.items():
        if most < 1 or most > MOST_IDENTIFIERS:
            yield draft.error(
                "limit_out_of_range",
                ("limits", kind),
                Words(
                    f"La limite de « {kind} » doit être entre 1 et {MOST_IDENTIFIERS}.",
                    f"The limit of “{kind}” must be between 1 and {MOST_IDENTIFIERS}.",
                ),
                Words(
                    "Écrivez combien de ces identifiants une même personne peut avoir.",
                    "Write how many of these identifiers one person may have.",
                ),
            )


def find_bad_deadlines(draft: Draft) -> Iterator[Fault]:
    """A stage that everybody would leave at once."""
    for place, stage in draft.items("stages"):
        if stage.deadline_ms is not None and stage.deadline_ms <= 0:
            yield draft.error(
                "deadline_not_positive",
                (*place, "deadline"),
                Words("Le délai d'une étape est plus long que rien.", "A stage's deadline is longer than nothing."),
                Words("Écrivez par exemple « deadline: 30d ».", "Write for instance “deadline: 30d”."),
            )


RULES = (
    find_baseless_purposes,
    find_uncovered_measures,
    find_bad_retention,
    find_bad_marketing,
    find_bad_retained,
    find_bad_limits,
    find_bad_deadlines,
)
