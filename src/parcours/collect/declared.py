"""What a company declares to come in and go out, by name alone; read again when a file of it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.blueprint.yaml_lines import read_yaml
from parcours.collect.connectors.destinations import DESTINATIONS, read_destinations
from parcours.collect.reading import SOURCES, read_sources
from parcours.errors import Fault, ParcoursError
from parcours.settings import Settings

FILE = "file"
"""What stands in for a connector where a source names a file."""


class Declared(msgspec.Struct, frozen=True):
    """The connector of every source, the destinations, and the faults for which some of them could not be read."""

    connectors: dict[str, str]
    destinations: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


Stamp = tuple[tuple[str, int], ...]
_kept: dict[Path, tuple[Stamp, Blueprint, Settings, Declared]] = {}
_turn = Lock()


def read_declared(folder: Path, blueprint: Blueprint, settings: Settings) -> Declared:
    """Return what the company in ``folder`` declares; faults are told and not raised, for what came in stays known."""
    with _turn:
        stamp = _read_stamp(folder)
        kept = _kept.get(folder)
        if kept is None or kept[0] != stamp or kept[1] is not blueprint or kept[2] is not settings:
            kept = _kept[folder] = (stamp, blueprint, settings, _read(folder, blueprint, settings))
        return kept[3]


def _read(folder: Path, blueprint: Blueprint, settings: Settings) -> Declared:
    faults: list[Fault] = []
    try:
        sources = [one.source for one in read_sources(folder, blueprint, settings)]
        connectors = {source.source: source.connector or FILE for source in sources}
    except ParcoursError as error:
        faults += error.faults
        connectors = {str(one["source"]): str(one.get("connector") or FILE) for one in _glimpse(folder, "source")}
    try:
        destinations = tuple(one.destination for one in read_destinations(folder, blueprint))
    except ParcoursError as error:
        faults += error.faults
        destinations = tuple(str(one["destination"]) for one in _glimpse(folder, "destination"))
    return Declared(connectors, destinations, tuple(faults))


def _glimpse(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Yield what YAML files say that have a name at least, whatever else is wrong with them or with another."""
    for path in sorted((folder / f"{kind}s").glob("*.y*ml")):
        data = read_yaml(path).data
        if isinstance(data, dict) and data.get(kind):
            yield data


def _read_stamp(folder: Path) -> Stamp:
    found = []
    for name in (SOURCES, DESTINATIONS):
        for path in sorted((folder / name).glob("*.y*ml")):
            try:
                found.append((path.name, path.stat().st_mtime_ns))
            except OSError:
                found.append((path.name, 0))
    return tuple(found)
