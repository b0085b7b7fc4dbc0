"""Where the events of a source come from: exactly one of a file and a connector, and what is wrong with either."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.yaml_lines import Node
from parcours.collect.connectors.options import check_connector, kind_of
from parcours.collect.source import Source
from parcours.errors import Fault
from parcours.words import Words

_ONLY_FOR_FILES = ("format", "csv", "lookup")


def check_origin(source: Source, node: Node) -> list[Fault]:
    """Return what is wrong with the file or the connector of a source; the file itself is not opened."""
    faults = [*_exactly_one(source, node), *_events_missing(source, node)]
    if source.connector is not None:
        faults += _without_a_file(node)
        faults += check_connector(source.connector, source.options, node, "in")
    return faults


def names_itself(source: Source) -> bool:
    """Return whether the source brings Segment's calls, whose events name themselves, so that it needs no mapping."""
    return source.connector is not None and kind_of(source.connector, source.options) == "batch"


def _exactly_one(source: Source, node: Node) -> Iterator[Fault]:
    if source.file is None and source.connector is None:
        sentence = Words("Il manque la clé « file » ou « connector ».", "The key “file” or “connector” is missing.")
        remedy = Words(
            "Ajoutez « file: » suivi d'un chemin, ou « connector: » suivi d'un nom.",
            "Add “file:” followed by a path, or “connector:” followed by a name.",
        )
        yield node.fault("missing_field", (), sentence, remedy)
    if source.file is not None and source.connector is not None:
        sentence = Words(
            "Une source a un fichier ou un connecteur, pas les deux.", "A source has a file or a connector, not both."
        )
        remedy = Words("Gardez file: ou connector:.", "Keep file: or connector:.")
        yield node.fault("file_and_connector", ("connector",), sentence, remedy)
    if source.options and source.connector is None:
        sentence = Words("options: ne vaut que pour un connecteur.", "options: is for a connector alone.")
        remedy = Words("Ajoutez connector:, ou ôtez options:.", "Add connector:, or take options: away.")
        yield node.fault("options_without_connector", ("options",), sentence, remedy)


def _events_missing(source: Source, node: Node) -> Iterator[Fault]:
    if isinstance(node.data, dict) and node.data.get("events") is None and not names_itself(source):
        sentence = Words("Il manque la clé « events ».", "The key “events” is missing.")
        remedy = Words("Ajoutez « events: » suivi d'une liste.", "Add “events:” followed by a list.")
        yield node.fault("missing_field", (), sentence, remedy)


def _without_a_file(node: Node) -> Iterator[Fault]:
    for key in _ONLY_FOR_FILES:
        if isinstance(node.data, dict) and node.data.get(key) is not None:
            sentence = Words(f"« {key} » ne vaut que pour un fichier.", f"“{key}” is for a file alone.")
            yield node.fault("only_for_files", (key,), sentence, Words("Ôtez cette clé.", "Take this key away."))
