"""The sentences for databases that cannot be reached or read: without secrets, and without values of rows."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError

from parcours.collect.connectors.secrets import Secrets
from parcours.errors import ParcoursError
from parcours.words import Words

_VALUES: Final = ("22", "23")
"""Classes of SQLSTATE whose messages quote values of rows."""

_AWAY: Final = ("08", "53", "57")
"""Classes of SQLSTATE that say that the server goes away, or has no room."""

_MOST_LETTERS: Final = 200


def database_fault(error: Exception, secrets: Secrets) -> ParcoursError:
    """Return the error for what the database or its driver raised."""
    state, reason = _reason(error, secrets)
    refused = isinstance(error, DBAPIError) and error.statement is not None and not error.connection_invalidated
    if refused and not state.startswith(_AWAY):
        return ParcoursError(
            "query_refused",
            Words(f"La base refuse la lecture : {reason}.", f"The database refuses to be read: {reason}."),
            Words(
                "Vérifiez table:, query:, cursor: et key:, et les droits de lecture de ce compte.",
                "Check table:, query:, cursor: and key:, and that this account may read.",
            ),
        )
    return ParcoursError(
        "database_unreachable",
        Words(f"La base ne répond pas : {reason}.", f"The database does not answer: {reason}."),
        Words(
            "Vérifiez l'adresse, le réseau et le mot de passe ; la lecture reprend toute seule où elle en était.",
            "Check the URL, the network and the password; reading resumes by itself where it was.",
        ),
    )


def _reason(error: Exception, secrets: Secrets) -> tuple[str, str]:
    """Return the SQLSTATE, if the driver tells it, and the reason."""
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    told = origin.args[0] if getattr(origin, "args", None) else ""
    # pg8000 gives the fields of PostgreSQL's answer; other drivers a text.
    state = str(told.get("C", "")) if isinstance(told, dict) else str(getattr(origin, "sqlstate", None) or "")
    text = str(told.get("M", "")) if isinstance(told, dict) else str(told)
    kind = type(origin).__name__
    if isinstance(error, DataError) or state.startswith(_VALUES):
        return state, f"{kind} {state}".strip()
    line = secrets.hide(text).strip().partition("\n")[0][:_MOST_LETTERS].rstrip(". ")
    return state, f"{line} ({state or kind})" if line else kind


def column_missing(name: str, there: tuple[str, ...], near: list[str]) -> ParcoursError:
    """Return the error for a column that the table or query does not give."""
    hint = Words(f"Vouliez-vous dire « {near[0]} » ? ", f"Did you mean “{near[0]}”? ") if near else Words()
    listed = ", ".join(there[:40]) + (", …" if len(there) > 40 else "")
    return ParcoursError(
        "column_missing",
        Words(f"La lecture ne donne pas de colonne « {name} ».", f"What is read has no column “{name}”."),
        Words(f"{hint.fr}Colonnes : {listed}.", f"{hint.en}Columns: {listed}."),
    )


def driver_missing(library: str) -> ParcoursError:
    """Return the error for a driver that is not installed."""
    return ParcoursError(
        "library_missing",
        Words(
            f"Le pilote « {library} » que nomme l'adresse de la base n'est pas installé.",
            f"The driver “{library}” that the database's URL names is not installed.",
        ),
        Words(
            f"Installez-le : pip install {library} ; pour PostgreSQL, postgresql+pg8000:// se contente de "
            "pip install parcours[sql].",
            f"Install it: pip install {library}; for PostgreSQL, postgresql+pg8000:// needs no more than "
            "pip install parcours[sql].",
        ),
    )


def bad_url() -> ParcoursError:
    """Return the error for a URL that SQLAlchemy does not know; the URL itself may hold secrets and is not told."""
    return ParcoursError(
        "bad_url",
        Words("L'adresse de la base ne se lit pas.", "The database's URL cannot be read."),
        Words(
            "Par exemple postgresql+pg8000://lecteur:${DB_PASSWORD}@serveur/base ou sqlite:////data/ventes.db.",
            "For instance postgresql+pg8000://reader:${DB_PASSWORD}@server/database or sqlite:////data/sales.db.",
        ),
    )


def key_unusable(key: str, empty: bool) -> ParcoursError:
    """Return the error for a key that does not tell rows apart, by which rows would be lost."""
    why = Words("est vide dans une ligne", "is empty in a row")
    if not empty:
        why = Words("a deux fois la même valeur à la même date", "holds a value twice at one cursor value")
    return ParcoursError(
        "key_not_unique",
        Words(
            f"La colonne « {key} » {why.fr} : elle ne départage pas les lignes.",
            f"The column “{key}” {why.en}: it does not tell rows apart.",
        ),
        Words(
            "Nommez sous key: une colonne unique et jamais vide, ou ôtez key: (les lignes déjà lues sont alors "
            "reconnues à leur contenu).",
            "Name under key: a column that is unique and never empty, or take key: away (rows that were read are then "
            "known by their content).",
        ),
    )


def cursor_inexact(cursor: str) -> ParcoursError:
    """Return the error for cursor values that do not survive being read and asked for again."""
    return ParcoursError(
        "cursor_inexact",
        Words(
            f"La colonne « {cursor} » n'est pas exacte : nombre flottant, ou moments plus fins que la microseconde.",
            f"The column “{cursor}” is not exact: a floating number, or moments finer than a microsecond.",
        ),
        Words(
            "Rendez-la exacte dans query: (un entier, un numeric, des microsecondes), sous un nom que cursor: reprend.",
            "Make it exact in query: (a whole number, a numeric, microseconds), under a name that cursor: takes up.",
        ),
    )
