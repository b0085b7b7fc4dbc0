"""The sentences for databases that cannot be reached or read: without secrets, and without values of rows."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError, ProgrammingError

from parcours.collect.connectors.secrets import Secrets
from parcours.errors import ParcoursError
from parcours.words import Words

_VALUES: Final = ("22", "23")
"""Classes of SQLSTATE whose messages quote values of rows."""

_MOST_LETTERS: Final = 200


def database_fault(error: Exception, secrets: Secrets) -> ParcoursError:
    """Return the error for what the database or its driver raised."""
    reason = _reason(error, secrets)
    if isinstance(error, ProgrammingError):
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


def _reason(error: Exception, secrets: Secrets) -> str:
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    told = origin.args[0] if getattr(origin, "args", None) else ""
    # pg8000 gives the fields of PostgreSQL's answer; other drivers a text.
    state = str(told.get("C", "")) if isinstance(told, dict) else str(getattr(origin, "sqlstate", None) or "")
    text = str(told.get("M", "")) if isinstance(told, dict) else str(told)
    kind = type(origin).__name__
    if isinstance(error, DataError) or state.startswith(_VALUES):
        return f"{kind} {state}".strip()
    line = secrets.hide(text).strip().partition("\n")[0][:_MOST_LETTERS].rstrip(". ")
    return f"{line} ({state or kind})" if line else kind


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
