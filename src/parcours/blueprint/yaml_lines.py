"""YAML as plain data with the line of every value; whatever cannot be read becomes a fault with its file and line."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import IO, Any

import msgspec
import yaml
from yaml.composer import Composer
from yaml.emitter import Emitter
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.representer import SafeRepresenter
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner
from yaml.serializer import Serializer

from parcours.errors import Fault
from parcours.words import Words

Place = tuple[str | int, ...]
"""The way from the top of a file to a value: keys and indexes."""

MOST_VALUES = 200_000
"""Aliases may stand for one another: a file that unfolds to more values than this is refused."""

DEEPEST = 60
"""Blueprints and sources nest some ten levels; what nests deeper is a mistake or an attack."""

_KINDS = ("str", "int", "float", "bool", "null", "map", "seq")


class Node(msgspec.Struct, frozen=True):
    """One file, or several merged: plain data, the line of every value, and what could not be read.

    ``lines`` gives the line (from 1) of each value by its place; a value in a mapping stands at its key. ``files``
    names the file of each section or item that comes from another file than ``file``.
    """

    file: str
    data: Any = None
    lines: dict[Place, int] = {}
    files: dict[Place, str] = {}
    faults: tuple[Fault, ...] = ()

    def where(self, place: Place) -> tuple[str, int | None]:
        """Return the file and line of ``place``, or of the nearest thing around it that stands in the file."""
        file = next((self.files[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.files), self.file)
        line = next((self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines), None)
        return file, line

    def fault(self, code: str, place: Place, sentence: Words, remedy: Words) -> Fault:
        """Return an error at ``place``."""
        file, line = self.where(place)
        return Fault(code, sentence, remedy, file, line)

    def warning(self, code: str, place: Place, sentence: Words, remedy: Words) -> Fault:
        """Return a warning at ``place``."""
        file, line = self.where(place)
        return Fault(code, sentence, remedy, file, line, "warning")

    def section(self, *place: str | int) -> Node:
        """Return what stands at ``place`` as a node of its own, which still names the lines of the file."""
        file, line = self.where(place)
        data, depth = self.data, len(place)
        for key in place:
            data = data.get(key) if isinstance(data, dict) else None
        lines = {inner[depth:]: at for inner, at in self.lines.items() if inner[:depth] == place}
        return Node(file, data, lines if line is None else {(): line, **lines})


class _PlainResolver(BaseResolver):
    """Plain rules for plain words: only true/false are booleans; 007, no and 2026-01-31 stay text."""


for _tag, _pattern, _first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)\.?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    _PlainResolver.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


class _Composer(Reader, Scanner, Parser, Composer, _PlainResolver):
    """PyYAML's composer under the plain rules."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _PlainResolver.__init__(self)


class _Dumper(Emitter, Serializer, SafeRepresenter, _PlainResolver):
    """PyYAML's dumper under the plain rules, so that what it writes is read back as it was."""

    def __init__(self, stream: IO[str]) -> None:
        Emitter.__init__(self, stream, width=110, allow_unicode=True)
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, sort_keys=False)
        _PlainResolver.__init__(self)

    def ignore_aliases(self, _: object) -> bool:
        """Write everything out: a reader should not have to look for an anchor."""
        return True


def _represent_text(dumper: SafeRepresenter, text: str) -> yaml.ScalarNode:
    # Unicode's rarer line ends survive in double quotes alone.
    style = '"' if re.search("[\x85\u2028\u2029]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)


def write_yaml(data: Any) -> str:
    """Return plain data as YAML that `parse_yaml` reads back equal."""
    stream = StringIO()
    dumper = _Dumper(stream)
    dumper.open()
    dumper.represent(data)
    dumper.close()
    return stream.getvalue()


def read_yaml(path: Path) -> Node:
    """Read one YAML file; it never raises for what stands in it: the faults are in the node."""
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Node(file, faults=(_not_utf8(file, error),))
    except OSError as error:
        return Node(file, faults=(_unreadable(file, error),))
    return parse_yaml(text, file)


def parse_yaml(text: str, file: str) -> Node:
    """Read YAML from ``text``; ``file`` is what faults name."""
    try:
        root = _Composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Node(file, faults=(_malformed(file, error.problem or str(error), mark.line + 1 if mark else None),))
    except ReaderError as error:
        return Node(file, faults=(_malformed(file, str(error.reason), text.count("\n", 0, error.position) + 1),))
    except RecursionError:
        return Node(file, faults=(_too_large(file),))
    if root is None:
        return Node(file, lines={(): 1})
    return _Unfolding(file).unfold(root)


class _Unfolding:
    """One walk from composed nodes to plain data; it keeps the lines and gathers the faults."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []
        self.open: set[int] = set()

    def unfold(self, root: yaml.Node) -> Node:
        """Return the file's node; a file that unfolds without end keeps nothing but that fault."""
        try:
            data = self.value(root, (), root.start_mark.line + 1)
        except (_UnfoldsTooFarError, RecursionError):
            return Node(self.file, faults=(_too_large(self.file),))
        return Node(self.file, data, self.lines, faults=tuple(self.faults))

    def value(self, node: yaml.Node, place: Place, line: int) -> Any:
        """Return the plain value of ``node``, noting that ``place`` stands on ``line``."""
        if id(node) in self.open or len(self.lines) >= MOST_VALUES or len(place) > DEEPEST:
            raise _UnfoldsTooFarError
        self.lines[place] = line
        self.open.add(id(node))
        try:
            return self._plain(node, place)
        finally:
            self.open.discard(id(node))

    def _plain(self, node: yaml.Node, place: Place) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in _KINDS:
            self.faults.append(_tag_refused(self.file, node.tag, node.start_mark.line + 1))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, (*place, index), item.start_mark.line + 1) for index, item in enumerate(node.value)
            ]
        if kind in ("map", "seq", "str"):
            return node.value
        try:
            return self._scalar(kind, node)
        except (ValueError, KeyError):
            self.faults.append(_malformed(self.file, f"{node.value!r} ≠ {kind}", node.start_mark.line + 1))
            return None

    def _scalar(self, kind: str, node: yaml.Node) -> Any:
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        return int(node.value) if kind == "int" else float(node.value)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(_malformed(self.file, "a key that is not a word", line))
                continue
            key = str(key_node.value)
            if key in found:
                self.faults.append(_duplicate_key(self.file, key, self.lines[(*place, key)], line))
                continue
            found[key] = self.value(value_node, (*place, key), line)
        return found


class _UnfoldsTooFarError(Exception):
    """The file refers to itself, or its aliases unfold beyond `MOST_VALUES`."""


def _not_utf8(file: str, error: UnicodeDecodeError) -> Fault:
    line = error.object.count(b"\n", 0, error.start) + 1
    return Fault(
        "yaml_encoding",
        Words("Le fichier n'est pas en UTF-8.", "The file is not UTF-8."),
        Words(
            "Enregistrez-le en UTF-8 dans votre éditeur (cette ligne porte le premier caractère illisible).",
            "Save it as UTF-8 in your editor (this line holds the first unreadable character).",
        ),
        file,
        line,
    )


def _unreadable(file: str, error: OSError) -> Fault:
    reason = error.strerror or str(error)
    return Fault(
        "file_unreadable",
        Words(f"Le fichier ne peut pas être ouvert : {reason}.", f"The file cannot be opened: {reason}."),
        Words("Vérifiez son nom et ses droits de lecture.", "Check its name and whether you may read it."),
        file,
    )


def _malformed(file: str, problem: str, line: int | None) -> Fault:
    return Fault(
        "yaml_malformed",
        Words(f"Ce n'est pas du YAML bien formé : {problem}.", f"This is not well-formed YAML: {problem}."),
        Words(
            "Corrigez ici ou juste au-dessus : un retrait, un deux-points suivi d'une espace, un guillemet fermé.",
            "Mend it here or just above: an indent, a colon followed by a space, a closed quote.",
        ),
        file,
        line,
    )


def _too_large(file: str) -> Fault:
    return Fault(
        "yaml_too_large",
        Words(
            f"Le fichier se déplie sans fin, en plus de {MOST_VALUES} valeurs ou sur plus de {DEEPEST} niveaux.",
            f"The file unfolds without end, to more than {MOST_VALUES} values or {DEEPEST} levels.",
        ),
        Words(
            "Remplacez les alias (*nom) par leur contenu, ou réduisez l'emboîtement.",
            "Replace the aliases (*name) by what they stand for, or nest less.",
        ),
        file,
        1,
    )


def _tag_refused(file: str, tag: str, line: int) -> Fault:
    return Fault(
        "yaml_tag",
        Words(f"L'étiquette YAML « {tag} » n'est pas admise.", f"The YAML tag “{tag}” is not allowed."),
        Words("Ôtez-la : la valeur seule suffit.", "Remove it: the value alone is enough."),
        file,
        line,
    )


def _duplicate_key(file: str, key: str, first: int, line: int) -> Fault:
    return Fault(
        "yaml_duplicate_key",
        Words(
            f"La clé « {key} » est déjà écrite ligne {first}.",
            f"The key “{key}” is already written on line {first}.",
        ),
        Words("Gardez-en une seule : YAML perdrait l'autre.", "Keep one of them: YAML would lose the other."),
        file,
        line,
    )
