"""The sentences for files that cannot be read as what they should be."""

from __future__ import annotations

from pathlib import Path

from parcours.errors import ParcoursError
from parcours.words import Words


def file_unreadable(path: Path, reason: str, line: int | None = None) -> ParcoursError:
    """Return the error for a file that is damaged or of another format than the source says."""
    return ParcoursError(
        "file_unreadable",
        Words(f"{path.name} ne se lit pas : {reason}.", f"{path.name} cannot be read: {reason}."),
        Words(
            "Vérifiez le fichier et la clé format: de la source ; rien n'a été chargé.",
            "Check the file and the source's format: key; nothing was loaded.",
        ),
        path,
        line,
    )


def file_changed(path: Path) -> ParcoursError:
    """Return the error for a file that somebody wrote to while it was read."""
    return ParcoursError(
        "file_changed",
        Words(f"{path.name} a changé pendant sa lecture.", f"{path.name} changed while it was read."),
        Words("Attendez la fin de l'export, puis relancez.", "Wait until the export is finished, then run again."),
        path,
    )
