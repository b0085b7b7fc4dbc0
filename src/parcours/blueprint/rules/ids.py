"""Rules about ids: their form, their uniqueness, and the name that no composite may bear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from parcours.blueprint.draft import Draft
from parcours.blueprint.yaml_lines import Place
from parcours.errors import Fault
from parcours.words import Words

SECTIONS = (
    "stages",
    "channels",
    "teams",
    "touchpoints",
    "operations",
    "purposes",
    "groups",
    "fields",
    "treatments",
    "layers",
    "retained",
)
ID_PATTERN = r"^[a-z][a-z0-9_]*$"
_ID = re.compile(r"[a-z][a-z0-9_]*")
_CX_INDEX = re.compile(r"\bcx[\s_-]*index\b|\bindice\s+cx\b", re.IGNORECASE)


def find_unusual_ids(draft: Draft) -> Iterator[Fault]:
    """Ids become column names and addresses of pages: small letters, digits and underscores."""
    for place, id in _ids(draft):
        if id and not _ID.fullmatch(id):
            yield draft.error(
                "unusual_id",
                place,
                Words(f"L'identifiant « {id} » a une forme inhabituelle.", f"The id “{id}” has an unusual form."),
                Words(
                    "Écrivez des minuscules sans accent, des chiffres et _, en commençant par une lettre.",
                    "Write small letters without accents, digits and _, beginning with a letter.",
                ),
            )


def find_duplicate_ids(draft: Draft) -> Iterator[Fault]:
    """Two items of one section with the same id; the fault names both places."""
    for section in SECTIONS:
        yield from _duplicates(draft, [((*place, "id"), item.id) for place, item in draft.items(section)])
    yield from _duplicates(draft, [(("objects", n), name) for n, name in enumerate(draft.blueprint.objects)])


def find_shared_ids(draft: Draft) -> Iterator[Fault]:
    """A touchpoint and an operation of one id: promises and pages could not tell them apart."""
    touchpoints = {item.id: (*place, "id") for place, item in draft.items("touchpoints") if item.id}
    for place, operation in draft.items("operations"):
        if operation.id in touchpoints:
            yield _duplicate(draft, operation.id, touchpoints[operation.id], (*place, "id"))


def find_cx_index(draft: Draft) -> Iterator[Fault]:
    """“CX Index” is another firm's product, and its algorithm is not public."""
    for place, words in _all_words(draft.blueprint, ()):
        if _CX_INDEX.search(f"{words.fr}\n{words.en}"):
            yield draft.error(
                "named_cx_index",
                place,
                Words(
                    "« CX Index » est la marque d'un tiers, dont le calcul n'est pas public.",
                    "“CX Index” is a third party's name, and its algorithm is not public.",
                ),
                Words(
                    "Donnez à votre indicateur son propre nom, et dites ce qu'il mesure.",
                    "Give your indicator its own name, and say what it measures.",
                ),
            )


RULES = (find_unusual_ids, find_duplicate_ids, find_shared_ids, find_cx_index)


def _ids(draft: Draft) -> Iterator[tuple[Place, str]]:
    yield ("company", "id"), draft.blueprint.company.id
    for section in SECTIONS:
        yield from (((*place, "id"), item.id) for place, item in draft.items(section))
    yield from ((("objects", index), name) for index, name in enumerate(draft.blueprint.objects))
    yield from field_places(draft)


def field_places(draft: Draft) -> Iterator[tuple[Place, str]]:
    """Yield every place that names a property of events, with that name (declared fields apart)."""
    yield from ((place, name) for place, name, _ in field_uses(draft))


def field_uses(draft: Draft) -> Iterator[tuple[Place, str, str]]:
    """Yield every place that names a property of events, its name, and the kind that this use makes it."""
    blueprint = draft.blueprint
    for place, group in draft.items("groups"):
        yield (*place, "field"), group.field, "category"
    if blueprint.panel and blueprint.panel.site:
        yield ("panel", "site"), blueprint.panel.site, "category"
    if blueprint.money:
        yield ("money", "field"), blueprint.money.field, "number"
    for place, touchpoint in draft.items("touchpoints"):
        experience = touchpoint.experience
        if experience:
            yield (*place, "experience", "field"), experience.field, "number"
            if experience.text:
                yield (*place, "experience", "text"), experience.text, "text"
    for place, operation in draft.items("operations"):
        if operation.measure.field:
            kind = "category" if operation.measure.bad else "number"
            yield (*place, "measure", "field"), operation.measure.field, kind
    for place, match in event_places(draft):
        for name in match.where:
            yield (*place, "where", name), name, "category"


def event_places(draft: Draft) -> Iterator[tuple[Place, Any]]:
    """Yield every event that the blueprint names, with its place."""
    for section in ("touchpoints", "operations"):
        for place, item in draft.items(section):
            yield from (((*place, "events", index), match) for index, match in enumerate(item.events))
    for place, touchpoint in draft.items("touchpoints"):
        if touchpoint.experience:
            yield (*place, "experience", "event"), touchpoint.experience.event
    for place, operation in draft.items("operations"):
        if operation.measure.until:
            yield (*place, "measure", "until"), operation.measure.until
    if draft.blueprint.money:
        yield ("money", "event"), draft.blueprint.money.event


def _all_words(value: Any, place: Place) -> Iterator[tuple[Place, Words]]:
    if isinstance(value, Words):
        yield place, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _all_words(getattr(value, name), (*place, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _all_words(item, (*place, index))


def _duplicates(draft: Draft, named: list[tuple[Place, str]]) -> Iterator[Fault]:
    first: dict[str, Place] = {}
    for place, id in named:
        if id and id in first:
            yield _duplicate(draft, id, first[id], place)
        first.setdefault(id, place)


def _duplicate(draft: Draft, id: str, first: Place, place: Place) -> Fault:
    file, line = draft.node.where(first)
    return draft.error(
        "duplicate_id",
        place,
        Words(f"L'identifiant « {id} » est déjà pris : {file}:{line}.", f"The id “{id}” is taken: {file}:{line}."),
        Words("Donnez à l'un des deux un autre identifiant.", "Give one of the two another id."),
    )
