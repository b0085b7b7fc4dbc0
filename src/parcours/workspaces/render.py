"""Templates filled from records: a template sees exactly the fields of its page's record."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from parcours.words import Language
from parcours.workspaces.wording import Say


@cache
def environment(language: Language) -> jinja2.Environment:
    """Return the templates of ``language``; what a template asks for and does not get is an error."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("parcours.workspaces"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["say"] = Say(language)
    found.filters["drawn"] = _trust
    return found


def _trust(markup: str) -> Markup:
    """Let markup of our own charts through; they escape what they are given."""
    return Markup(markup)  # noqa: S704


def render(record: msgspec.Struct, language: Language) -> str:
    """Fill the template of ``record`` with exactly its fields."""
    return environment(language).get_template(name_template(type(record))).render(list_fields(record))


def name_template(record: type[msgspec.Struct]) -> str:
    """Return the template of a page: the one that carries its module's name, or that it names as ``TEMPLATE``."""
    return getattr(record, "TEMPLATE", None) or f"{record.__module__.rpartition('.')[2]}.html"


def list_fields(record: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of ``record`` as a template receives them."""
    return {name: getattr(record, name) for name in record.__struct_fields__}
