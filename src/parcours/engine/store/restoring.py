"""What is said of how to mend a lost or damaged file: from a backup, and what starting anew without one would undo."""

from __future__ import annotations

from parcours.words import Words

_ALONE = {"access.db"}
"""Databases without which everything else goes on: their file and their mark may be moved aside."""


def tell_restoring(name: str) -> Words:
    """Return the remedy for a damaged or missing file of ``.parcours``, which is called ``name``."""
    if name in _ALONE:
        return Words(
            fr=f"Rétablissez {name} depuis une sauvegarde ; sans elle, arrêtez serve et déplacez .parcours/{name}* et "
            f".parcours/made/{name} : les comptes sont alors à ajouter de nouveau, et rien d'autre n'est perdu.",
            en=f"Restore {name} from a backup; without one, stop serve and move .parcours/{name}* and "
            f".parcours/made/{name} aside: accounts are then to be added again, and nothing else is lost.",
        )
    return Words(
        fr=f"Rétablissez {name} depuis une sauvegarde. Sans elle, ne repartez de zéro (dossier .parcours déplacé, puis "
        "parcours run) que si personne n'a été effacé et que rien n'est arrivé en direct : les effacements, choix, "
        "demandes, clés et le journal d'audit ne sont que là, et qui a été effacé reviendrait.",
        en=f"Restore {name} from a backup. Without one start anew (.parcours moved aside, then parcours run) only "
        "where nobody was erased and nothing arrived live: erasures, choices, requests, keys and the audit log stand "
        "there alone, and whoever was erased would come back.",
    )
