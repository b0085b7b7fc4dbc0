"""YAML data against a record: every unknown key, missing field and wrong type at once, and a draft all the same."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from parcours.blueprint.form import SHORT_FORMS, is_duration, parse_duration, yaml_name
from parcours.blueprint.yaml_lines import Node, Place
from parcours.errors import Fault
from parcours.words import LANGUAGES, Words

R = TypeVar("R", bound=msgspec.Struct)

_NAMES: dict[type, Words] = {
    inspect.StrType: Words("un texte", "a text"),
    inspect.IntType: Words("un nombre entier", "a whole number"),
    inspect.FloatType: Words("un nombre", "a number"),
    inspect.BoolType: Words("true ou false", "true or false"),
    inspect.VarTupleType: Words("une liste", "a list"),
    inspect.ListType: Words("une liste", "a list"),
    inspect.TupleType: Words("une liste de longueur fixe", "a list of fixed length"),
    inspect.DictType: Words("des clés et des valeurs", "keys and values"),
    inspect.StructType: Words("des clés et des valeurs", "keys and values"),
}


def read_record(
    node: Node, record: type[R], told_elsewhere: frozenset[tuple[type, str]] = frozenset()
) -> tuple[R, list[Fault]]:
    """Read ``node`` as ``record``: the record and every fault of its shape.

    Where a value is missing or of the wrong type, the record holds a stand-in (an empty text or list, NaN), so that
    the other rules still run over the rest: use the record only when no fault is an error. ``told_elsewhere``
    holds the (record, field) pairs whose absence a rule reports in its own words.
    """
    reading = _Reading(node, told_elsewhere)
    value = reading.struct(inspect.type_info(record), node.data, ())
    return value, reading.faults


class _Reading:
    """One walk of data and type side by side."""

    def __init__(self, node: Node, told_elsewhere: frozenset[tuple[type, str]]) -> None:
        self.node = node
        self.told_elsewhere = told_elsewhere
        self.faults: list[Fault] = []

    def value(self, kind: Any, data: Any, place: Place) -> Any:
        """Return ``data`` as ``kind``, or a stand-in and a fault."""
        if isinstance(kind, inspect.UnionType):
            return self.union(kind, data, place)
        if isinstance(kind, inspect.StructType):
            return self.words(data, place) if kind.cls is Words else self.struct(kind, data, place)
        if isinstance(kind, inspect.VarTupleType | inspect.ListType):
            return self.sequence(kind, data, place)
        if isinstance(kind, inspect.TupleType):
            return self.fixed(kind, data, place)
        if isinstance(kind, inspect.DictType):
            return self.mapping(kind, data, place)
        if isinstance(kind, inspect.LiteralType):
            return self.choice(kind, data, place)
        return self.scalar(kind, data, place)

    def union(self, kind: inspect.UnionType, data: Any, place: Place) -> Any:
        """``X | None``: nothing is None; several kinds: the first that reads ``data`` without a fault."""
        kinds = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        if data is None and len(kinds) < len(kind.types):
            return None
        before = len(self.faults)
        for one in kinds[:-1]:
            value = self.value(one, data, place)
            if len(self.faults) == before:
                return value
            del self.faults[before:]
        return self.value(kinds[-1], data, place)

    def struct(self, kind: Any, data: Any, place: Place) -> Any:
        """Keys and values as a record; a record with a short form may be one word."""
        short = SHORT_FORMS.get(kind.cls)
        if short and isinstance(data, str | int | float) and not isinstance(data, bool):
            data = {short: str(data)}
        if not isinstance(data, dict):
            self.wrong_type(kind, data, place)
            return stand_in(kind)
        names = {yaml_name(field.name): field for field in kind.fields}
        for key in data:
            if key not in names:
                self.unknown_key(key, tuple(names), (*place, key))
        values = {}
        for name, field in names.items():
            if data.get(name) is not None or (name in data and not field.required and _may_be_none(field.type)):
                values[field.name] = self.field(field, data[name], (*place, name))
            elif field.required:
                self.missing(kind.cls, field, place, name)
                values[field.name] = stand_in(field.type)
        return kind.cls(**values)

    def field(self, field: Any, data: Any, place: Place) -> Any:
        """One field: a duration when its Python name ends in ``_ms``, else its type."""
        if data is None or not is_duration(field.name):
            return self.value(field.type, data, place)
        try:
            return parse_duration(str(data))
        except ValueError:
            self.report(
                "bad_duration",
                place,
                Words(f"« {data} » n'est pas une durée.", f"“{data}” is not a duration."),
                Words("Écrivez par exemple 30d, 12h, 15min ou 90s.", "Write for instance 30d, 12h, 15min or 90s."),
            )
            return stand_in(field.type)

    def words(self, data: Any, place: Place) -> Words:
        """A label: ``{fr: …, en: …}``, or one text that stands for both languages."""
        if isinstance(data, dict):
            for key in data:
                if key not in LANGUAGES:
                    self.unknown_key(key, LANGUAGES, (*place, key))
            texts = [self.value(inspect.StrType(), data.get(one) or "", (*place, one)).strip() for one in LANGUAGES]
        else:
            texts = [self.value(inspect.StrType(), data, place).strip(), ""]
            if not isinstance(data, str | int | float | bool):
                return Words()
        if not all(texts):
            self.label(any(texts), place)
        return Words(*texts) if isinstance(data, dict) else Words(texts[0], texts[0])

    def label(self, half: bool, place: Place) -> None:
        """A label that is missing in one language (a warning) or in both (an error)."""
        remedy = Words("Écrivez {fr: …, en: …}.", "Write {fr: …, en: …}.")
        if half:
            sentence = Words("Ce libellé n'est qu'en une langue.", "This label is in one language only.")
            self.faults.append(self.node.warning("label_in_one_language", place, sentence, remedy))
        else:
            sentence = Words("Ce libellé est vide.", "This label is empty.")
            self.report("label_empty", place, sentence, remedy)

    def sequence(self, kind: Any, data: Any, place: Place) -> tuple[Any, ...]:
        """A list of one kind."""
        if not isinstance(data, list):
            self.wrong_type(kind, data, place)
            return ()
        return tuple(self.value(kind.item_type, item, (*place, index)) for index, item in enumerate(data))

    def fixed(self, kind: Any, data: Any, place: Place) -> tuple[Any, ...]:
        """A list of fixed length, such as the two ends of a scale."""
        if not isinstance(data, list) or len(data) != len(kind.item_types):
            self.wrong_type(kind, data, place)
            return tuple(stand_in(one) for one in kind.item_types)
        pairs = zip(kind.item_types, data, strict=True)
        return tuple(self.value(one, item, (*place, index)) for index, (one, item) in enumerate(pairs))

    def mapping(self, kind: Any, data: Any, place: Place) -> dict[Any, Any]:
        """Keys and values of one kind each."""
        if not isinstance(data, dict):
            self.wrong_type(kind, data, place)
            return {}
        found = {}
        for key, item in data.items():
            if isinstance(kind.key_type, inspect.LiteralType) and key not in kind.key_type.values:
                self.unknown_key(key, kind.key_type.values, (*place, key))
                continue
            found[key] = self.value(kind.value_type, item, (*place, key))
        return found

    def choice(self, kind: Any, data: Any, place: Place) -> Any:
        """One of a few words."""
        if data in kind.values and not isinstance(data, bool):
            return data
        allowed = ", ".join(str(one) for one in kind.values)
        near = _nearest(str(data), kind.values)
        self.report(
            "unknown_choice",
            place,
            Words(f"« {data} » n'est pas un choix possible.", f"“{data}” is not one of the choices."),
            Words(f"{near.fr}Choisissez parmi : {allowed}.", f"{near.en}Choose one of: {allowed}."),
        )
        return stand_in(kind)

    def scalar(self, kind: Any, data: Any, place: Place) -> Any:
        """A text, a number or a truth value; a number may stand where a text is wanted."""
        number = isinstance(data, int | float) and not isinstance(data, bool)
        if isinstance(kind, inspect.StrType) and isinstance(data, str | int | float):
            return str(data).lower() if isinstance(data, bool) else str(data)
        if isinstance(kind, inspect.FloatType) and number and math.isfinite(data):
            return float(data)
        if isinstance(kind, inspect.IntType) and isinstance(data, int) and number:
            return data
        if isinstance(kind, inspect.BoolType) and isinstance(data, bool):
            return data
        if isinstance(kind, inspect.AnyType):
            return data
        self.wrong_type(kind, data, place)
        return stand_in(kind)

    def report(self, code: str, place: Place, sentence: Words, remedy: Words) -> None:
        """Keep an error at ``place``."""
        self.faults.append(self.node.fault(code, place, sentence, remedy))

    def unknown_key(self, key: str, names: tuple[Any, ...], place: Place) -> None:
        """A key that no record knows."""
        allowed = ", ".join(str(name) for name in names)
        near = _nearest(key, names)
        self.report(
            "unknown_key",
            place,
            Words(f"La clé « {key} » n'existe pas ici.", f"The key “{key}” does not exist here."),
            Words(f"{near.fr}Clés possibles : {allowed}.", f"{near.en}Possible keys: {allowed}."),
        )

    def missing(self, record: type, field: Any, place: Place, name: str) -> None:
        """A field that the record must have."""
        if (record, field.name) in self.told_elsewhere:
            return
        wanted = _name(field.type)
        self.report(
            "missing_field",
            place,
            Words(f"Il manque la clé « {name} ».", f"The key “{name}” is missing."),
            Words(f"Ajoutez « {name}: » suivi de {wanted.fr}.", f"Add “{name}:” followed by {wanted.en}."),
        )

    def wrong_type(self, kind: Any, data: Any, place: Place) -> None:
        """A value of another kind than the record wants."""
        wanted, found = _name(kind), _describe(data)
        self.report(
            "wrong_type",
            place,
            Words(f"Il faut {wanted.fr} ; voici {found.fr}.", f"This must be {wanted.en}; it is {found.en}."),
            Words(
                "Corrigez cette valeur ; la forme est dans docs/reference/blueprint.md.",
                "Mend this value; the form is in docs/reference/blueprint.md.",
            ),
        )


def stand_in(kind: Any) -> Any:
    """Return an empty value of ``kind``, with which no comparison holds, so that no rule speaks of it twice."""
    if isinstance(kind, inspect.StructType):
        if kind.cls is Words:
            return Words()
        return kind.cls(**{field.name: stand_in(field.type) for field in kind.fields if field.required})
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return ()
    if isinstance(kind, inspect.TupleType):
        return tuple(stand_in(one) for one in kind.item_types)
    if isinstance(kind, inspect.FloatType | inspect.IntType):
        return math.nan
    if isinstance(kind, inspect.UnionType):
        return None
    if isinstance(kind, inspect.DictType):
        return {}
    return False if isinstance(kind, inspect.BoolType) else ""


def _may_be_none(kind: Any) -> bool:
    return isinstance(kind, inspect.UnionType) and any(isinstance(one, inspect.NoneType) for one in kind.types)


def _name(kind: Any) -> Words:
    if isinstance(kind, inspect.UnionType):
        return _name(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    if isinstance(kind, inspect.StructType) and kind.cls is Words:
        return Words("un libellé {fr: …, en: …}", "a label {fr: …, en: …}")
    if isinstance(kind, inspect.LiteralType):
        allowed = ", ".join(str(one) for one in kind.values)
        return Words(f"l'un de : {allowed}", f"one of: {allowed}")
    return _NAMES.get(type(kind), Words("une valeur", "a value"))


def _describe(data: Any) -> Words:
    if data is None:
        return Words("rien", "nothing")
    if isinstance(data, dict):
        return _NAMES[inspect.DictType]
    if isinstance(data, list):
        return Words(f"une liste de {len(data)}", f"a list of {len(data)}")
    return Words(f"« {data} »", f"“{data}”")


def _nearest(word: str, names: tuple[Any, ...]) -> Words:
    near = get_close_matches(word, [str(name) for name in names], n=1)
    if not near:
        return Words()
    return Words(f"Vouliez-vous dire « {near[0]} » ? ", f"Did you mean “{near[0]}”? ")
