"""XML from outside as a tree with line numbers; document types and entities are refused before they are read."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

import msgspec

from parcours.errors import ParcoursError
from parcours.words import Words

MOST_BYTES = 50_000_000


class Tree(msgspec.Struct, frozen=True):
    """An XML document: its root, and the line of each element by `id`."""

    file: str
    root: ET.Element
    lines: dict[int, int]

    def line(self, element: ET.Element) -> int:
        """Return the line on which ``element`` begins."""
        return self.lines[id(element)]


def read_tree(path: Path) -> Tree:
    """Read an XML file.

    Raises `ParcoursError`: ``file_unreadable``, ``xml_malformed`` (with the line), ``xml_doctype`` for a file that
    declares a document type (entities can unfold without end or name other files), ``xml_too_large``.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ParcoursError(
            "file_unreadable",
            Words(f"Le fichier ne peut pas être ouvert : {reason}.", f"The file cannot be opened: {reason}."),
            Words("Vérifiez son nom et ses droits de lecture.", "Check its name and whether you may read it."),
            path,
        ) from error
    if len(data) > MOST_BYTES:
        raise ParcoursError(
            "xml_too_large",
            Words("Ce fichier BPMN dépasse 50 Mo.", "This BPMN file is over 50 MB."),
            Words("Exportez un seul processus.", "Export one process only."),
            path,
        )
    return _Building(path).build(data)


class _Building:
    """One pass of expat over a document."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.builder = ET.TreeBuilder()
        self.lines: dict[int, int] = {}
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.builder.data

    def build(self, data: bytes) -> Tree:
        """Return the whole tree."""
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ParcoursError(
                "xml_malformed",
                Words(f"Ce n'est pas du XML bien formé : {error}.", f"This is not well-formed XML: {error}."),
                Words("Exportez-le de nouveau depuis votre outil BPMN.", "Export it again from your BPMN tool."),
                self.path,
                error.lineno,
            ) from error
        return Tree(str(self.path), self.builder.close(), self.lines)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        named = {_qualified(name): value for name, value in attributes.items()}
        element = self.builder.start(_qualified(tag), named)
        self.lines[id(element)] = self.parser.CurrentLineNumber

    def end(self, tag: str) -> None:
        """An element ends."""
        self.builder.end(_qualified(tag))

    def refuse(self, *_: object) -> NoReturn:
        """A document type is declared."""
        raise ParcoursError(
            "xml_doctype",
            Words(
                "Ce fichier déclare un type de document (DOCTYPE), ce que BPMN n'emploie pas.",
                "This file declares a document type (DOCTYPE), which BPMN does not use.",
            ),
            Words("Ôtez la ligne <!DOCTYPE …>.", "Remove the <!DOCTYPE …> line."),
            self.path,
            self.parser.CurrentLineNumber,
        )


def _qualified(name: str) -> str:
    return f"{{{name}" if "}" in name else name
