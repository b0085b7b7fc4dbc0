"""The JSON Schema that editors use while somebody writes a blueprint, derived from the records."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from parcours.blueprint.form import DURATION_PATTERN, SHORT_FORMS, is_duration, yaml_name
from parcours.blueprint.records import Blueprint
from parcours.blueprint.rules.ids import ID_PATTERN
from parcours.words import LANGUAGES, Words

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def blueprint_schema() -> Schema:
    """Return the schema of ``blueprint.yaml`` (draft 2020-12)."""
    return record_schema(Blueprint, "Parcours blueprint")


def record_schema(record: type[msgspec.Struct], title: str) -> Schema:
    """Return the schema of the YAML form of ``record``: labels, durations and short forms as they are written."""
    definitions: dict[str, Schema] = {}
    whole = _struct(inspect.type_info(record), definitions)
    named = {name: definitions[name] for name in sorted(definitions)}
    return {"$schema": DIALECT, "title": title, **whole, "$defs": named}


def _struct(kind: Any, definitions: dict[str, Schema]) -> Schema:
    schema: Schema = {
        "type": "object",
        "description": _first_paragraph(kind.cls),
        "properties": {yaml_name(field.name): _field(field, definitions) for field in kind.fields},
        "additionalProperties": False,
    }
    required = [yaml_name(field.name) for field in kind.fields if field.required]
    return schema | ({"required": required} if required else {})


def _field(field: Any, definitions: dict[str, Schema]) -> Schema:
    if is_duration(field.name):
        return {"type": "string", "pattern": DURATION_PATTERN, "description": "30d, 12h, 15min, 90s, 500ms"}
    if field.name == "id":
        return {"type": "string", "pattern": ID_PATTERN}
    return _value(field.type, definitions)


def _value(kind: Any, definitions: dict[str, Schema]) -> Schema:
    if isinstance(kind, inspect.UnionType):
        kinds = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        schemas = [_value(one, definitions) for one in kinds]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    if isinstance(kind, inspect.StructType):
        return _reference(kind, definitions)
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return {"type": "array", "items": _value(kind.item_type, definitions)}
    if isinstance(kind, inspect.TupleType):
        items = [_value(one, definitions) for one in kind.item_types]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    if isinstance(kind, inspect.DictType):
        return _mapping(kind, definitions)
    if isinstance(kind, inspect.LiteralType):
        return {"enum": list(kind.values)}
    return _scalar(kind)


def _scalar(kind: Any) -> Schema:
    if isinstance(kind, inspect.FloatType):
        return {"type": "number"}
    if isinstance(kind, inspect.IntType):
        return {"type": "integer"}
    if isinstance(kind, inspect.BoolType):
        return {"type": "boolean"}
    # A number may stand where a text is wanted: `where: {stars: [1, 2]}`.
    return {"type": ["string", "number", "boolean"]} if isinstance(kind, inspect.StrType) else {}


def _mapping(kind: Any, definitions: dict[str, Schema]) -> Schema:
    values = _value(kind.value_type, definitions)
    if isinstance(kind.key_type, inspect.LiteralType):
        names = {str(key): values for key in kind.key_type.values}
        return {"type": "object", "properties": names, "additionalProperties": False}
    return {"type": "object", "additionalProperties": values}


def _reference(kind: Any, definitions: dict[str, Schema]) -> Schema:
    name = kind.cls.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _words() if kind.cls is Words else _struct(kind, definitions)
        if kind.cls in SHORT_FORMS:
            definitions[name] = {"anyOf": [{"type": "string"}, definitions[name]]}
    return {"$ref": f"#/$defs/{name}"}


def _words() -> Schema:
    texts = {language: {"type": "string"} for language in LANGUAGES}
    both = {"type": "object", "properties": texts, "additionalProperties": False, "minProperties": 1}
    return {"description": "A text in French and English.", "anyOf": [both, {"type": "string"}]}


def _first_paragraph(record: type) -> str:
    text = (record.__doc__ or "").split("\n\n")[0]
    return " ".join(text.split())
