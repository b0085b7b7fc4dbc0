"""What a source wants of a Segment-shaped event: for each column, the places where it may stand, first come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.collect.amounts import unit_factor
from parcours.collect.source import FieldColumn, Source

Path: TypeAlias = tuple[str, ...]
"""Names from the event inwards: ``("properties", "amount")``."""

PROPERTIES, TRAITS, CONTEXT = "properties", "traits", "context"
CONTEXT_TRAITS: Path = (CONTEXT, TRAITS)
CONSENT = "consent"
CHOICES: Path = (CONTEXT, CONSENT, "categoryPreferences")

_TOP_ALONE = frozenset({"userId", "anonymousId", "previousId", "groupId", "messageId", "event", "type"})
"""Names that always mean the event's own member."""

_TOP_TOO = frozenset({"name", "category", "channel"})
"""Names that mean the event's own member where neither properties nor traits have them: a page's name stands there."""

_IDS: dict[str, tuple[Path, ...]] = {
    "user": (("userId",),),
    "device": (("anonymousId",),),
    "mail": ((TRAITS, "email"), (*CONTEXT_TRAITS, "email")),
    "phone": ((TRAITS, "phone"), (*CONTEXT_TRAITS, "phone")),
}

OWN_TRAITS: dict[str, tuple[Path, ...]] = {
    "mail": ((*CONTEXT_TRAITS, "email"),),
    "phone": ((*CONTEXT_TRAITS, "phone"),),
}
"""Where a person's own address stands on a group call: its ``traits`` are the group's, and so is an address there."""

_SIGNALS: dict[str, tuple[Path, ...]] = {
    "tcf": ((CONTEXT, CONSENT, "tcf"), (CONTEXT, CONSENT, "tcString")),
    "consent_mode": ((CONTEXT, CONSENT, "consent_mode"), (CONTEXT, CONSENT, "consentMode")),
    "notice": ((CONTEXT, CONSENT, "notice"),),
}


class Want(msgspec.Struct, frozen=True):
    """One column of `raw_schema`.

    Attributes:
        column: Its name there.
        kind: How its values are read.
        paths: Where it may stand; the first that is filled counts.
        lenient: Whether a value that is no text and no number counts as none, because nobody said it was meant.
        factor: By what a number is multiplied.
        yes: The texts that grant a purpose, in lower case.
        all_of: Where a choice takes several categories that must all be granted, their places.
    """

    column: str
    kind: Literal["id", "object", "number", "category", "text", "personal", "choice", "signal"]
    paths: tuple[Path, ...]
    lenient: bool = False
    factor: float = 1.0
    yes: frozenset[str] = frozenset()
    all_of: tuple[Path, ...] = ()


def list_wants(source: Source, blueprint: Blueprint) -> tuple[Want, ...]:
    """Return what ``source`` wants: what its own mapping says, and the defaults for what it leaves out."""
    return (
        *_list_ids(source),
        *_list_objects(source, blueprint),
        *_list_fields(source, blueprint),
        *_list_choices(source, blueprint),
        *_list_signals(source, blueprint),
    )


def find_paths(column: str) -> tuple[Path, ...]:
    """Return where a column of a source's mapping may stand.

    ``properties.X``, ``traits.X`` and ``context.X`` (and deeper) are ways inwards, or whole names with a dot in them.
    A bare ``X`` is a property, else a trait.
    """
    root, *rest = column.split(".")
    if root in (PROPERTIES, TRAITS, CONTEXT) and rest:
        ways: tuple[Path, ...] = ((root, *rest),)
        if len(rest) > 1:
            ways = ((root, ".".join(rest)), *ways)
        return ways + tuple((CONTEXT, *way) for way in ways) if root == TRAITS else ways
    if column in _TOP_ALONE:
        return ((column,),)
    bare: tuple[Path, ...] = ((PROPERTIES, column), (TRAITS, column), (*CONTEXT_TRAITS, column))
    return (*bare, (column,)) if column in _TOP_TOO else bare


def _list_ids(source: Source) -> Iterator[Want]:
    for kind, paths in _IDS.items():
        column = source.ids.get(kind)  # type: ignore[call-overload]
        yield Want(f"id_{kind}", "id", find_paths(column) if column else paths)


def _list_objects(source: Source, blueprint: Blueprint) -> Iterator[Want]:
    for kind in blueprint.objects:
        column = source.objects.get(kind)
        if column:
            yield Want(f"object_{kind}", "object", find_paths(column))
        else:
            paths: tuple[Path, ...] = ((PROPERTIES, f"{kind}_id"), (PROPERTIES, kind))
            yield Want(f"object_{kind}", "object", (*paths, ("groupId",)) if kind == "group" else paths, lenient=True)


def _list_fields(source: Source, blueprint: Blueprint) -> Iterator[Want]:
    for name, kind in sorted(blueprint.field_kinds().items()):
        mapped = source.fields.get(name, FieldColumn(column=name))
        factor = unit_factor(mapped.unit, mapped.to)
        yield Want(f"field_{name}", kind, find_paths(mapped.column), factor=1.0 if factor is None else factor)


def _list_choices(source: Source, blueprint: Blueprint) -> Iterator[Want]:
    for purpose in blueprint.purposes:
        choice = source.consent.get(purpose.id)
        categories = purpose.signals.segment if purpose.signals else ()
        if categories and choice is None:
            every = tuple((*CHOICES, category) for category in categories)
            yield Want(f"consent_{purpose.id}", "choice", every, all_of=every)
            continue
        column = choice.column if choice else purpose.id
        inwards = column.startswith((f"{PROPERTIES}.", f"{TRAITS}.", f"{CONTEXT}."))
        paths = find_paths(column) if inwards else ((*CHOICES, column),)
        yes = frozenset(answer.strip().lower() for answer in choice.yes) if choice else frozenset()
        yield Want(f"consent_{purpose.id}", "choice", paths, yes=yes)


def _list_signals(source: Source, blueprint: Blueprint) -> Iterator[Want]:
    signals = [purpose.signals for purpose in blueprint.purposes if purpose.signals]
    wanted = {
        "tcf": any(one.tcf for one in signals),
        "consent_mode": any(one.consent_mode for one in signals),
        "notice": bool(blueprint.notices),
    }
    for name, paths in _SIGNALS.items():
        column = source.signals.get(name)  # type: ignore[call-overload]
        if wanted[name]:
            yield Want(f"signal_{name}", "signal", find_paths(column) if column else paths)
