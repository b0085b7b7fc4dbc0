"""Rules about touchpoints and stages: who owns the meeting, how it is seen, what holds it up, what people say of it."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.draft import Draft
from parcours.errors import Fault
from parcours.words import LANGUAGES, Words

EXAMPLES_WANTED = 20
"""Assigning comments to touchpoints reaches .79 (French) and .71 (English) with 20 examples, .66 and .56 with 5."""


def find_unowned_touchpoints(draft: Draft) -> Iterator[Fault]:
    """A touchpoint without an owner: nobody would mend it."""
    for place, touchpoint in draft.items("touchpoints"):
        if draft.raw((*place, "owner")) is None:
            yield draft.error(
                "touchpoint_without_owner",
                place,
                Words(
                    f"Le point de contact « {touchpoint.id} » n'a pas de responsable.",
                    f"The touchpoint “{touchpoint.id}” has no owner.",
                ),
                Words("Ajoutez « owner: » et l'une des équipes.", "Add “owner:” and one of the teams."),
            )


def find_unseen_touchpoints(draft: Draft) -> Iterator[Fault]:
    """A touchpoint without an event: nobody could see that it happened."""
    for place, touchpoint in draft.items("touchpoints"):
        events = (*place, "events")
        if draft.raw(events) in (None, []):
            yield draft.error(
                "touchpoint_without_event",
                events,
                Words(
                    f"Aucun événement ne montre que « {touchpoint.id} » a eu lieu.",
                    f"No event shows that “{touchpoint.id}” took place.",
                ),
                Words(
                    "Ajoutez « events: [Nom de l'événement] », tel que les sources le nomment.",
                    "Add “events: [Event Name]”, as the sources name it.",
                ),
            )


def find_unsupported_touchpoints(draft: Draft) -> Iterator[Fault]:
    """A touchpoint that no operation supports: its causes could not be sought behind the line."""
    supported = {id for operation in draft.blueprint.operations for id in operation.supports}
    for place, touchpoint in draft.items("touchpoints"):
        if touchpoint.id and touchpoint.id not in supported:
            yield draft.error(
                "touchpoint_without_operation",
                place,
                Words(
                    f"Aucune opération ne soutient « {touchpoint.id} » derrière la ligne de visibilité.",
                    f"No operation supports “{touchpoint.id}” behind the line of visibility.",
                ),
                Words(
                    "Nommez-le dans « supports: » d'une opération, ou décrivez le travail qui le rend possible.",
                    "Name it in “supports:” of an operation, or describe the work that makes it possible.",
                ),
            )


def find_unscored_touchpoints(draft: Draft) -> Iterator[Fault]:
    """A touchpoint without a score: it stays grey on the map."""
    for place, touchpoint in draft.items("touchpoints"):
        if draft.raw((*place, "experience")) is None:
            yield draft.warning(
                "touchpoint_without_score",
                place,
                Words(
                    f"L'expérience n'est pas mesurée à « {touchpoint.id} ».",
                    f"Experience is not measured at “{touchpoint.id}”.",
                ),
                Words(
                    "Ajoutez « experience: » avec la question posée aux clients, ou laissez : il restera sans note.",
                    "Add “experience:” with the question that customers answer, or leave it: it stays without a score.",
                ),
            )


def find_empty_stages(draft: Draft) -> Iterator[Fault]:
    """A stage in which nobody meets the company."""
    used = {touchpoint.stage for touchpoint in draft.blueprint.touchpoints}
    for place, stage in draft.items("stages"):
        if stage.id and stage.id not in used:
            yield draft.warning(
                "stage_without_touchpoint",
                place,
                Words(
                    f"L'étape « {stage.id} » n'a aucun point de contact.", f"The stage “{stage.id}” has no touchpoint."
                ),
                Words("Décrivez-en un, ou retirez l'étape.", "Describe one, or remove the stage."),
            )


def find_missing_examples(draft: Draft) -> Iterator[Fault]:
    """Fewer than 20 example sentences in a language, where customers leave comments."""
    for place, touchpoint in draft.items("touchpoints"):
        if not (touchpoint.experience and touchpoint.experience.text):
            continue
        counts = {language: len(touchpoint.examples.get(language, ())) for language in LANGUAGES}
        if min(counts.values()) < EXAMPLES_WANTED:
            have = ", ".join(f"{language} {count}" for language, count in counts.items())
            yield draft.warning(
                "few_examples",
                (*place, "examples"),
                Words(
                    f"« {touchpoint.id} » a moins de {EXAMPLES_WANTED} phrases d'exemple par langue ({have}).",
                    f"“{touchpoint.id}” has fewer than {EXAMPLES_WANTED} example sentences per language ({have}).",
                ),
                Words(
                    "Écrivez vous-même des phrases variées, telles que vos clients les diraient.",
                    "Write varied sentences of your own, as your customers would say them.",
                ),
            )


def find_unknown_languages(draft: Draft) -> Iterator[Fault]:
    """Example sentences in a language that Parcours does not speak."""
    for place, touchpoint in draft.items("touchpoints"):
        for language in touchpoint.examples:
            if language not in LANGUAGES:
                yield draft.error(
                    "unknown_language",
                    (*place, "examples", language),
                    Words(f"La langue « {language} » n'est pas connue.", f"The language “{language}” is not known."),
                    Words("Écrivez fr ou en.", "Write fr or en."),
                )


RULES = (
    find_unowned_touchpoints,
    find_unseen_touchpoints,
    find_unsupported_touchpoints,
    find_unscored_touchpoints,
    find_empty_stages,
    find_missing_examples,
    find_unknown_languages,
)
