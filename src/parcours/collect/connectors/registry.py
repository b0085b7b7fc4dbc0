"""The connectors that are installed, ours and others', found by their entry points; a broken one stops no other."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from parcours.collect.connectors.contract import GROUP, Connector
from parcours.collect.connectors.http import HTTP
from parcours.errors import ParcoursError
from parcours.words import Words

_OURS = "parcours"
_EXTRAS = {"sqlalchemy": "sql", "confluent_kafka": "kafka"}
"""The extra that brings each library of our own connectors."""


def connector_names() -> tuple[str, ...]:
    """Return the names that a source or a destination may use, whether they can be opened here or not."""
    return tuple(sorted({*_entries(tuple(sys.path)), HTTP}))


def find_connector(name: str) -> Connector:
    """Return the connector called ``name``.

    Raises:
        ParcoursError: ``connector_unknown``, ``library_missing`` or ``connector_broken``.
    """
    entry = _entries(tuple(sys.path)).get(name)
    if entry is None:
        raise _unknown(name)
    try:
        found = entry.load()
    except ModuleNotFoundError as error:
        raise _library_missing(name, entry, error.name or "?") from None
    except (Exception, SystemExit) as error:
        raise broken(name, f"{type(error).__name__}: {error}") from error
    if not isinstance(found, Connector) or isinstance(found, type):
        raise broken(name, f"{entry.value} is no connector")
    return found


def broken(name: str, reason: str) -> ParcoursError:
    """Return the error for a connector that does not keep to the interface."""
    return ParcoursError(
        "connector_broken",
        Words(f"Le connecteur « {name} » est en panne : {reason}.", f"The connector “{name}” is broken: {reason}."),
        Words(
            "Mettez à jour le paquet qui l'apporte, ou prévenez ses auteurs ; les autres sources continuent.",
            "Update the package that brings it, or tell its authors; the other sources go on.",
        ),
    )


@lru_cache(maxsize=4)
def _entries(_: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Return the entry points by name; where two packages bring the same name, ours counts, else the first by name."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry) != _OURS, _package(entry)))
    by_name: dict[str, EntryPoint] = {}
    for entry in found:
        by_name.setdefault(entry.name, entry)
    return by_name


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else ""


def _unknown(name: str) -> ParcoursError:
    names = connector_names()
    near = get_close_matches(name, names, n=1)
    hint = Words(f"Vouliez-vous dire « {near[0]} » ? ", f"Did you mean “{near[0]}”? ") if near else Words()
    listed = ", ".join(names)
    return ParcoursError(
        "connector_unknown",
        Words(f"Aucun connecteur ne s'appelle « {name} ».", f"No connector is called “{name}”."),
        Words(f"{hint.fr}Connecteurs installés : {listed}.", f"{hint.en}Connectors installed: {listed}."),
    )


def _library_missing(name: str, entry: EntryPoint, library: str) -> ParcoursError:
    extra = _EXTRAS.get(library.partition(".")[0]) if _package(entry) == _OURS else None
    wanted = f"pip install parcours[{extra}]" if extra else f"pip install {library}"
    return ParcoursError(
        "library_missing",
        Words(
            f"Le connecteur « {name} » a besoin de la bibliothèque « {library} », qui n'est pas installée.",
            f"The connector “{name}” needs the library “{library}”, which is not installed.",
        ),
        Words(f"Installez-la : {wanted}.", f"Install it: {wanted}."),
    )
