"""What an engine's own errors become: the step's name, the whole failing SQL, and a remedy."""

from __future__ import annotations

from parcours.errors import ParcoursError
from parcours.words import Words

_MEMORY = ("out of memory", "memory limit", "cannot allocate", "failed to allocate", "bad_alloc")
_DISK = ("no space left", "temp_directory_size", "could not write", "disk full", "not enough space", "enospc")


def explain_failure(step_name: str, engine: str, sql: str, error: Exception) -> ParcoursError:
    """Return the error of ``step_name`` as a user can read it; memory and disk are told apart by the message.

    Codes: ``disk_full``, ``engine_out_of_memory``, ``step_failed``.
    """
    message = str(error)
    lowered = message.lower()
    # DuckDB calls a full spill folder "out of memory" too: the disk is looked for first.
    if any(sign in lowered for sign in _DISK):
        return _disk_full(step_name, engine)
    if any(sign in lowered for sign in _MEMORY):
        return _out_of_memory(step_name, engine)
    reason = message.strip().splitlines()[0] if message.strip() else type(error).__name__
    return ParcoursError(
        "step_failed",
        Words(
            fr=f"L'étape « {step_name} » a échoué sur {engine} : {reason}",
            en=f"Step “{step_name}” failed on {engine}: {reason}",
        ),
        Words(
            fr=f"Corrigez le texte de l'étape ou ses tables. Le SQL entier :\n{sql}",
            en=f"Mend the step's text or its tables. The whole SQL:\n{sql}",
        ),
    )


def _disk_full(step_name: str, engine: str) -> ParcoursError:
    return ParcoursError(
        "disk_full",
        Words(
            fr=f"Le disque est plein : l'étape « {step_name} » n'a pas pu écrire sur {engine}.",
            en=f"The disk is full: step “{step_name}” could not write on {engine}.",
        ),
        Words(
            fr="Libérez de la place, ou placez le dossier temporaire (TMPDIR) sur un autre disque, puis relancez.",
            en="Free some space, or put the temporary folder (TMPDIR) on another disk, then run again.",
        ),
    )


def _out_of_memory(step_name: str, engine: str) -> ParcoursError:
    return ParcoursError(
        "engine_out_of_memory",
        Words(
            fr=f"La mémoire accordée à {engine} ne suffit pas à l'étape « {step_name} ».",
            en=f"The memory granted to {engine} is not enough for step “{step_name}”.",
        ),
        Words(
            fr="Augmentez memory_mb sous [engine] dans parcours.toml.",
            en="Raise memory_mb under [engine] in parcours.toml.",
        ),
    )


def refuse_missing_table(step_name: str, name: str) -> ParcoursError:
    """Return the error of a step that was not given the table ``name``."""
    return ParcoursError(
        "table_missing",
        Words(
            fr=f"L'étape « {step_name} » lit « {name} », qui n'existe pas encore.",
            en=f"Step “{step_name}” reads “{name}”, which does not exist yet.",
        ),
        Words(fr="Lancez d'abord parcours run.", en="Run parcours run first."),
    )
