"""`destinations/*.yaml`: which events go out, for which purpose and through which connector; every fault at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.blueprint.shape import read_record
from parcours.blueprint.yaml_lines import Node, Place, read_yaml
from parcours.collect.connectors.options import check_connector
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

DESTINATIONS = "destinations"

_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*$")


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One destination: the ``events`` that go out through ``connector``, of those whom ``purpose`` allows."""

    destination: str
    connector: str
    options: dict[str, Any] = {}
    purpose: str
    events: tuple[str, ...]


def read_destinations(folder: Path, blueprint: Blueprint) -> tuple[Destination, ...]:
    """Return the destinations of a company, in the order of their file names; none is no fault.

    Raises:
        ParcoursError: every error of every destination at once.
    """
    destinations, faults = _read_all(folder, blueprint)
    errors = [fault for fault in faults if fault.level == "error"]
    if errors:
        raise ParcoursError.of(errors)
    return destinations


def check_destinations(folder: Path, blueprint: Blueprint) -> list[Fault]:
    """Return every fault and warning of ``destinations/*.yaml``."""
    return _read_all(folder, blueprint)[1]


def _read_all(folder: Path, blueprint: Blueprint) -> tuple[tuple[Destination, ...], list[Fault]]:
    paths = sorted(path for ending in ("*.yaml", "*.yml") for path in (folder / DESTINATIONS).glob(ending))
    read: list[Destination] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for path in paths:
        node = read_yaml(path)
        found = list(node.faults)
        if not found:
            destination, found = read_record(node, Destination)
            found += _check(destination, node, blueprint)
            if destination.destination in seen:
                found.append(_twice(destination, node, seen[destination.destination]))
            seen.setdefault(destination.destination, node.file)
            read.append(destination)
        faults += found
    return tuple(read), faults


def _check(destination: Destination, node: Node, blueprint: Blueprint) -> Iterator[Fault]:
    """Yield the faults of one destination; what is missing altogether has been told already, and is passed over."""
    if destination.destination and not _ID.match(destination.destination):
        sentence = Words(
            f"« {destination.destination} » ne peut pas nommer une destination.",
            f"“{destination.destination}” cannot be an id.",
        )
        remedy = Words("Utilisez des lettres, des chiffres, - et _.", "Use letters, digits, - and _.")
        yield node.fault("bad_destination_id", ("destination",), sentence, remedy)
    if destination.connector:
        yield from check_connector(destination.connector, destination.options, node, "out")
    purposes = [purpose.id for purpose in blueprint.purposes]
    if destination.purpose and destination.purpose not in purposes:
        sentence = Words(
            f"Le plan ne déclare pas de finalité « {destination.purpose} ».",
            f"The blueprint declares no purpose “{destination.purpose}”.",
        )
        yield node.fault("unknown_purpose", ("purpose",), sentence, _choose(destination.purpose, purposes))
    known = sorted({match.name for match in blueprint.matches()})
    if not destination.events and isinstance(node.data, dict) and node.data.get("events") == []:
        sentence = Words("La destination ne reçoit aucun événement.", "The destination receives no event.")
        remedy = Words('Ajoutez events: ["…"].', 'Add events: ["…"].')
        yield node.fault("no_events", ("events",), sentence, remedy)
    for index, name in enumerate(destination.events):
        place: Place = ("events", index)
        if name not in known:
            sentence = Words(
                f"Le plan n'emploie pas l'événement « {name} ».", f"The blueprint does not use the event “{name}”."
            )
            yield node.fault("unknown_event", place, sentence, _choose(name, known))


def _choose(word: str, declared: list[str]) -> Words:
    near = get_close_matches(word, declared, n=1)
    hint = Words(f"Vouliez-vous dire « {near[0]} » ? ", f"Did you mean “{near[0]}”? ") if near else Words()
    listed = ", ".join(declared[:12]) + (", …" if len(declared) > 12 else "") or "–"
    return Words(
        f"{hint.fr}Choisissez parmi ceux du plan : {listed}.", f"{hint.en}Choose one of the blueprint's: {listed}."
    )


def _twice(destination: Destination, node: Node, first: str) -> Fault:
    sentence = Words(
        f"La destination « {destination.destination} » est déjà décrite dans {first}.",
        f"The destination “{destination.destination}” is already described in {first}.",
    )
    return node.fault("destination_twice", ("destination",), sentence, Words("Renommez-la.", "Rename it."))
