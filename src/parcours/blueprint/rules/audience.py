"""Rules about the audience space: what the exemption from consent asks for, and that nothing else rests on it."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.draft import Draft
from parcours.errors import Fault
from parcours.words import Words

MOST_TRACKER_DAYS, MOST_DATA_DAYS = 394, 759
"""The fewest days of 13 and of 25 months (CNIL, exemption of audience measurement)."""

BASES = ("legitimate_interest", "public_task")


def find_bad_audience(draft: Draft) -> Iterator[Fault]:
    """An audience whose times are too long, whose page is no field, or whose purpose also serves something else."""
    audience = draft.blueprint.audience
    if audience is None:
        return
    for name, most, held in (
        ("tracker_days", MOST_TRACKER_DAYS, audience.tracker_days),
        ("data_days", MOST_DATA_DAYS, audience.data_days),
    ):
        if not 1 <= held <= most:
            yield draft.error(
                "audience_too_long",
                ("audience", name),
                Words(
                    f"La mesure d'audience sans consentement permet au plus {most} jours ici.",
                    f"Audience measurement without consent allows at most {most} days here.",
                ),
                Words(f"Écrivez un nombre de 1 à {most}.", f"Write a number from 1 to {most}."),
            )
    if audience.page and draft.blueprint.field_kinds().get(audience.page) != "category":
        yield draft.error(
            "audience_page_unknown",
            ("audience", "page"),
            Words(
                f"« {audience.page} » n'est pas un champ de catégories déclaré.",
                f"“{audience.page}” is no declared category field.",
            ),
            Words("Déclarez-le sous fields: avec kind: category.", "Declare it under fields: with kind: category."),
        )
    yield from _check_purpose(draft, audience.purpose)


def _check_purpose(draft: Draft, id: str) -> Iterator[Fault]:
    purpose = next((one for one in draft.blueprint.purposes if one.id == id), None)
    if purpose is None and id:
        yield draft.error(
            "unknown_purpose",
            ("audience", "purpose"),
            Words(f"La finalité « {id} » n'existe pas.", f"The purpose “{id}” does not exist."),
            Words("Déclarez-la sous purposes: avec measures: [].", "Declare it under purposes: with measures: []."),
        )
    if purpose is not None and (purpose.measures or purpose.basis not in (*BASES, "")):
        yield draft.error(
            "audience_not_apart",
            ("audience", "purpose"),
            Words(
                f"« {id} » ne doit servir qu'à compter l'audience.",
                f"“{id}” must serve nothing but counting the audience.",
            ),
            Words(
                f"Donnez-lui measures: [] et l'une des bases : {', '.join(BASES)}.",
                f"Give it measures: [] and one of the bases: {', '.join(BASES)}.",
            ),
        )


RULES = (find_bad_audience,)
