"""The fault of a connector that raises what it should not: its kind alone, for its text may hold rows or secrets."""

from __future__ import annotations

from parcours.collect.connectors.contract import Role
from parcours.errors import Fault, ParcoursError
from parcours.words import Words


def fault_of(error: BaseException, name: str) -> Fault:
    """Return what to tell of an unforeseen error at the source or destination ``name``."""
    kind = type(error).__name__
    return Fault(
        "connector_broken",
        Words(f"Le connecteur de « {name} » a échoué : {kind}.", f"The connector of “{name}” failed: {kind}."),
        Words(
            "Il est rappelé plus tard, et rien n'est perdu ; si cela dure, prévenez ses auteurs.",
            "It is called again later, and nothing is lost; if it lasts, tell its authors.",
        ),
    )


def one_way(name: str, role: Role) -> ParcoursError:
    """Return the error for a connector that is asked to go the way it does not go."""
    asked = Words("emporte", "carries out") if role == "out" else Words("apporte", "brings in")
    return ParcoursError(
        "connector_role",
        Words(f"Le connecteur « {name} » n'{asked.fr} rien.", f"The connector “{name}” {asked.en} nothing."),
        Words("Choisissez-en un autre.", "Choose another one."),
    )
