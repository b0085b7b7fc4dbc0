"""Secrets of connectors: named in YAML as ``${NAME}``, filled from the environment, struck out of every message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote

from parcours.blueprint.yaml_lines import Place
from parcours.collect.connectors.contract import Options, Where
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_AUTHORITY = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://(?P<userinfo>[^/?#]*)@")
_PASSWORD = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^:/@]*:(?P<password>[^@]+)@")
_SECRET_IN_QUERY = re.compile(
    r"[?&;](?:pass(?:word|wd)?|pwd|secret|token|api_?key|sig(?:nature)?)=(?P<value>[^&;#]+)", re.I
)
_SHORTEST_HIDDEN = 3
"""A value shorter than this stands in too many innocent words to be struck out."""


class Secrets:
    """The secrets that one inlet or outlet has been given; it never shows their values."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """Return ``text`` with each ``${NAME}`` replaced by its variable, escaped where it is a part of a URL.

        Raises:
            ParcoursError: ``secret_not_set``.
        """
        whole = _REFERENCE.fullmatch(text)
        if whole:
            return self._value(whole.group(1))
        in_url = "://" in text
        return _REFERENCE.sub(lambda match: self._part(match.group(1), in_url), text)

    def hide(self, text: str) -> str:
        """Return ``text`` with the name in the place of every secret that it holds."""
        for value in sorted(self._names, key=len, reverse=True):
            text = text.replace(value, f"${{{self._names[value]}}}")
        return text

    def _part(self, name: str, in_url: bool) -> str:
        value = self._value(name)
        return quote(value, safe="") if in_url else value

    def _value(self, name: str) -> str:
        value = os.environ.get(name)
        if not value:
            raise ParcoursError("secret_not_set", *_not_set(name))
        for hidden in (value, quote(value, safe=""), *_passwords(value)):
            if len(hidden) >= _SHORTEST_HIDDEN:
                self._names.setdefault(hidden, name)
        return value

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(set(self._names.values())))})"


def check_secrets(options: Options, named: Sequence[str], where: Where) -> list[Fault]:
    """Return a fault for each secret in the clear, and a warning for each variable that is not set here.

    Args:
        options: The options as they stand in YAML.
        named: The options that hold secrets; ``security.password`` reaches inside.
        where: Where they stand.
    """
    faults: list[Fault] = []
    for option in named:
        place: Place = tuple(option.split("."))
        text = _at(options, place)
        if isinstance(text, str):
            faults += _check_one(text, place, where)
    return faults


def _check_one(text: str, place: Place, where: Where) -> Iterator[Fault]:
    clear = _in_clear(text)
    if clear:
        sentence = Words("Un secret est écrit en clair.", "A secret is written in the clear.")
        remedy = Words(
            "Mettez-le dans une variable d'environnement et écrivez ici ${NOM} ; changez-le s'il a été partagé.",
            "Put it into an environment variable and write ${NAME} here; change it if it has been shared.",
        )
        yield where.fault("secret_in_clear", place, sentence, remedy)
    for name in dict.fromkeys(_REFERENCE.findall(text)):
        if not os.environ.get(name):
            yield where.warning("secret_not_set", place, *_not_set(name))


def _in_clear(text: str) -> bool:
    if "://" not in text:
        return _REFERENCE.fullmatch(text) is None
    parts = [match.group("value") for match in _SECRET_IN_QUERY.finditer(text)]
    parts += [password for password in _passwords(text) if password]
    return any(_REFERENCE.fullmatch(part) is None for part in parts)


def _passwords(url: str) -> list[str]:
    """Return the password of a URL, as it stands and unescaped; drivers of databases let it hold a slash."""
    web = url.lower().startswith(("http://", "https://"))
    match = (_AUTHORITY if web else _PASSWORD).match(url)
    if match is None:
        return []
    password = match.group("userinfo").partition(":")[2] if web else match.group("password")
    return [password, unquote(password)]


def _at(options: Any, place: Place) -> Any:
    for key in place:
        options = options.get(key) if isinstance(options, dict) else None
    return options


def _not_set(name: str) -> tuple[Words, Words]:
    return (
        Words(f"La variable d'environnement {name} n'est pas définie.", f"The variable {name} is not set."),
        Words(f"Définissez {name} dans l'environnement du serveur.", f"Set {name} in the environment of the server."),
    )
