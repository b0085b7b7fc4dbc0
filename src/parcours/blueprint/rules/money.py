"""Rules about properties and money: one kind a field, and a currency that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parcours.blueprint.draft import Draft
from parcours.blueprint.rules.ids import field_uses
from parcours.errors import Fault
from parcours.words import Words

_CURRENCY = re.compile(r"[A-Z]{3}")


def find_bad_currency(draft: Draft) -> Iterator[Fault]:
    """Money without the three letters of its currency."""
    money = draft.blueprint.money
    if money and draft.raw(("money", "currency")) is not None and not _CURRENCY.fullmatch(money.currency):
        yield draft.error(
            "bad_currency",
            ("money", "currency"),
            Words(f"« {money.currency} » n'est pas un code de devise.", f"“{money.currency}” is not a currency code."),
            Words(
                "Écrivez trois capitales (ISO 4217), par exemple EUR.",
                "Write three capitals (ISO 4217), for instance EUR.",
            ),
        )


def find_undeclared_currency(draft: Draft) -> Iterator[Fault]:
    """Money whose currency is only assumed."""
    if isinstance(draft.raw(("money",)), dict) and draft.raw(("money", "currency")) is None:
        yield draft.error(
            "money_without_currency",
            ("money",),
            Words("La devise des montants n'est pas dite.", "The currency of the amounts is not said."),
            Words("Ajoutez « currency: EUR » (ISO 4217).", "Add “currency: EUR” (ISO 4217)."),
        )


def find_two_kinds(draft: Draft) -> Iterator[Fault]:
    """A property that is a number here and a category or a text there."""
    kinds: dict[str, tuple[str, tuple[str | int, ...]]] = {}
    declared = [((*place, "kind"), item.id, item.kind) for place, item in draft.items("fields")]
    for place, name, kind in (*declared, *field_uses(draft)):
        if not name or not kind:
            continue
        first, there = kinds.setdefault(name, (kind, place))
        if first != kind:
            file, line = draft.node.where(there)
            yield draft.error(
                "field_of_two_kinds",
                place,
                Words(
                    f"Le champ « {name} » sert ici de {kind}, mais de {first} en {file}:{line}.",
                    f"The field “{name}” is used as {kind} here, but as {first} in {file}:{line}.",
                ),
                Words("Prenez deux champs, ou un seul usage.", "Use two fields, or one kind only."),
            )


RULES = (find_bad_currency, find_undeclared_currency, find_two_kinds)
