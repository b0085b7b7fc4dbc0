"""Rules about references: whatever names a stage, channel, team, touchpoint, operation, purpose or object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from parcours.blueprint.draft import Draft
from parcours.blueprint.records import READINGS
from parcours.blueprint.yaml_lines import Place
from parcours.errors import Fault
from parcours.words import Words

Reference = tuple[Place, str]


def find_unknown_stages(draft: Draft) -> Iterator[Fault]:
    """A touchpoint in a stage that is not declared."""
    named = (((*place, "stage"), item.stage) for place, item in draft.items("touchpoints"))
    yield from _unknown(draft, "unknown_stage", Words("L'étape", "The stage"), "stages", named)


def find_unknown_channels(draft: Draft) -> Iterator[Fault]:
    """A touchpoint or treatment in a channel that is not declared."""
    items = draft.items("touchpoints") + draft.items("treatments")
    named = (((*place, "channel"), item.channel) for place, item in items)
    yield from _unknown(draft, "unknown_channel", Words("Le canal", "The channel"), "channels", named)


def find_unknown_teams(draft: Draft) -> Iterator[Fault]:
    """An owner that is no team."""
    items = draft.items("touchpoints") + draft.items("operations")
    named = (((*place, "owner"), item.owner) for place, item in items)
    yield from _unknown(draft, "unknown_team", Words("L'équipe", "The team"), "teams", named)


def find_unknown_touchpoints(draft: Draft) -> Iterator[Fault]:
    """An operation that supports a touchpoint nobody described."""
    named = _lists(draft, "supports")
    yield from _unknown(
        draft, "unknown_touchpoint", Words("Le point de contact", "The touchpoint"), "touchpoints", named
    )


def find_unknown_operations(draft: Draft) -> Iterator[Fault]:
    """An operation that follows one nobody described."""
    named = _lists(draft, "follows")
    yield from _unknown(draft, "unknown_operation", Words("L'opération", "The operation"), "operations", named)


def find_unknown_purposes(draft: Draft) -> Iterator[Fault]:
    """A treatment, or the comparison of people, for a purpose that is not declared."""
    named = [((*place, "purpose"), item.purpose) for place, item in draft.items("treatments")]
    if draft.blueprint.link:
        named.append((("link", "purpose"), draft.blueprint.link.purpose))
    yield from _unknown(draft, "unknown_purpose", Words("La finalité", "The purpose"), "purposes", named)


def find_unknown_measures(draft: Draft) -> Iterator[Fault]:
    """A purpose that covers a measure Parcours does not have."""
    for place, purpose in draft.items("purposes"):
        for index, name in enumerate(purpose.measures):
            known = (*READINGS, "all")
            if name and name not in known:
                where = (*place, "measures", index)
                yield _fault(draft, "unknown_measure", Words("La mesure", "The measure"), where, name, known)


def find_undeclared_objects(draft: Draft) -> Iterator[Fault]:
    """A ``tie`` to, ``once_per`` or layer of an object type (order, ticket …) that ``objects`` does not list."""
    ties: list[tuple[Place, str | None]] = []
    for place, touchpoint in draft.items("touchpoints"):
        ties.append(((*place, "once_per"), touchpoint.once_per))
        if touchpoint.experience:
            ties.append(((*place, "experience", "tie"), touchpoint.experience.tie))
    ties += [((*place, "measure", "tie"), item.measure.tie) for place, item in draft.items("operations")]
    ties += [((*place, "object"), item.object) for place, item in draft.items("layers")]
    for place, tie in ties:
        if tie and tie not in draft.blueprint.objects:
            known = draft.blueprint.objects
            yield _fault(draft, "undeclared_object", Words("L'objet", "The object"), place, tie, known)


RULES = (
    find_unknown_stages,
    find_unknown_channels,
    find_unknown_teams,
    find_unknown_touchpoints,
    find_unknown_operations,
    find_unknown_purposes,
    find_unknown_measures,
    find_undeclared_objects,
)


def _lists(draft: Draft, field: str) -> Iterator[Reference]:
    for place, operation in draft.items("operations"):
        for index, id in enumerate(getattr(operation, field)):
            yield (*place, field, index), id


def _unknown(draft: Draft, code: str, what: Words, section: str, named: Iterable[Reference]) -> Iterator[Fault]:
    known = draft.ids(section)
    for place, id in named:
        if id and id not in known:
            yield _fault(draft, code, what, place, id, known)


def _fault(draft: Draft, code: str, what: Words, place: Place, id: str, known: tuple[Any, ...]) -> Fault:
    near = get_close_matches(id, known, n=1)
    listed = ", ".join(dict.fromkeys(known))
    remedy = Words(f"Déclarez « {id} », ou corrigez-le.", f"Declare “{id}”, or mend it.")
    if near:
        remedy = Words(f"Vouliez-vous dire « {near[0]} » ?", f"Did you mean “{near[0]}”?")
    elif known:
        remedy = Words(
            f"Déclarez « {id} », ou choisissez parmi : {listed}.", f"Declare “{id}”, or choose one of: {listed}."
        )
    sentence = Words(f"{what.fr} « {id} » n'existe pas.", f"{what.en} “{id}” does not exist.")
    return draft.error(code, place, sentence, remedy)
