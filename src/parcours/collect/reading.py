"""`sources/*.yaml` into records: every fault of every file at once, with its line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.blueprint.shape import read_record
from parcours.blueprint.yaml_lines import Node, read_yaml
from parcours.collect.inspection import Plan, inspect_files
from parcours.collect.origin import check_origin
from parcours.collect.rules import check_source, check_together
from parcours.collect.sampling import sample_files
from parcours.collect.source import ReadSource, Source
from parcours.errors import Fault, ParcoursError
from parcours.settings import Settings
from parcours.words import Words

SOURCES = "sources"
SURVEY_PAGES = "survey_pages"
"""The source of answers given on our own survey pages; it need not be declared."""

HTTP = "http"


def read_sources(folder: Path, blueprint: Blueprint, settings: Settings) -> tuple[ReadSource, ...]:
    """Return the sources of a company, in the order of their file names.

    Raises:
        ParcoursError: every error of every source at once.
    """
    sources, faults = _read_all(folder, blueprint, settings)
    errors = [fault for fault in faults if fault.level == "error"]
    if errors:
        raise ParcoursError.of(errors)
    return sources


def delivering_sources(read: Iterable[ReadSource]) -> tuple[Source, ...]:
    """Return those that deliver to the journal: with a connector, and the survey pages that `serve` hosts."""
    sources = [one.source for one in read if one.source.connector]
    if all(source.source != SURVEY_PAGES for source in sources):
        sources.append(Source(source=SURVEY_PAGES, connector=HTTP))
    return tuple(sources)


def check_sources(folder: Path, blueprint: Blueprint, settings: Settings, sample: bool = True) -> list[Fault]:
    """Return every fault and warning of ``sources/*.yaml``, and of the files they name that are there.

    With ``sample`` the first rows of each file are tried; a load that follows reads them all anyway.
    """
    sources, faults = _read_all(folder, blueprint, settings)
    if any(fault.level == "error" for fault in faults):
        return faults
    plans, found = inspect_files(sources, folder, settings, missing="warning")
    if sample and not any(fault.level == "error" for fault in found):
        for plan in plans:
            found += _sample(plan, blueprint, settings)
    return faults + found


def _sample(plan: Plan, blueprint: Blueprint, settings: Settings) -> list[Fault]:
    """Return what the first rows say; without its lookup, a source cannot be tried."""
    if plan.source.lookup and plan.lookup is None:
        return []
    try:
        return sample_files(plan, blueprint, settings)
    except ParcoursError as error:
        return list(error.faults)


def _read_all(folder: Path, blueprint: Blueprint, settings: Settings) -> tuple[tuple[ReadSource, ...], list[Fault]]:
    place = folder / SOURCES
    paths = sorted(path for ending in ("*.yaml", "*.yml") for path in place.glob(ending))
    if not paths:
        return (), [_no_sources(place)]
    read, faults = [], []
    for path in paths:
        node = read_yaml(path)
        found = list(node.faults)
        if not found:
            source, found = _read_one(node)
            found += check_origin(source, node)
            found += check_source(source, node, blueprint, settings) if not _broken(found) else []
            if not _broken(found):
                read.append(ReadSource(source, node))
        faults += found
    complete = len(read) == len(paths)
    return tuple(read), faults + check_together([(one.source, one.node) for one in read], blueprint, folder, complete)


def _read_one(node: Node) -> tuple[Source, list[Fault]]:
    plain = msgspec.structs.replace(node, data=_lengthen(node.data))
    return read_record(plain, Source)


def _broken(faults: list[Fault]) -> bool:
    return any(fault.level == "error" for fault in faults)


def _lengthen(data: Any) -> Any:
    """Return a source's data with each short form written out, so that one record reads both."""
    if not isinstance(data, dict):
        return data
    long = {**data, **_long_columns(data)}
    if isinstance(data.get("events"), list):
        long["events"] = [_long_event(event) for event in data["events"]]
    if isinstance(data.get("key"), str):
        long["key"] = [data["key"]]
    return long


def _long_event(event: Any) -> Any:
    if isinstance(event, str):
        return {"name": {"text": event}}
    if not isinstance(event, dict):
        return event
    long = {**event, **_long_columns(event)}
    if isinstance(event.get("name"), str):
        long["name"] = {"text": event["name"]}
    when = long.get("when")
    if isinstance(when, dict) and "is" in when:
        values = when["is"] if isinstance(when["is"], list) else [when["is"]]
        long["when"] = {**{key: value for key, value in when.items() if key != "is"}, "values": values}
    return long


def _long_columns(data: dict[str, Any]) -> dict[str, Any]:
    long: dict[str, Any] = {}
    for key in ("time", "when"):
        if isinstance(data.get(key), str):
            long[key] = {"column": data[key]}
    if isinstance(data.get("fields"), dict):
        long["fields"] = {
            name: {"column": mapped} if isinstance(mapped, str) else mapped for name, mapped in data["fields"].items()
        }
    return long


def _no_sources(place: Path) -> Fault:
    return Fault(
        "no_sources",
        Words(f"Aucune source : {place} ne contient pas de fichier .yaml.", f"No source: {place} holds no .yaml file."),
        Words(
            "Décrivez vos fichiers : docs/guides/connect-your-files.md montre une première source.",
            "Describe your files: docs/guides/connect-your-files.md shows a first source.",
        ),
        str(place),
        level="warning",
    )
