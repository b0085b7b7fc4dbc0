"""The master key: a file or a variable of the environment, made on the first run."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from parcours.errors import ParcoursError
from parcours.words import Words

VARIABLE = "PARCOURS_MASTER_KEY"
NEXT_VARIABLE = "PARCOURS_NEXT_MASTER_KEY"
KEY_BYTES = 32
NEXT = ".next"
"""What the file of a master key that is about to be in force is called beside the one that is."""


def decode(text: str, where: str) -> bytes:
    """Return the master key that is written in ``text``; ``where`` says where that stands in a fault."""
    try:
        master = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        master = b""
    if len(master) != KEY_BYTES:
        raise ParcoursError(
            "master_key_unreadable",
            Words(
                fr=f"La clé maîtresse ({where}) n'est pas le base64 de 32 octets.",
                en=f"The master key ({where}) is not the base64 of 32 bytes.",
            ),
            Words(
                fr="Faites-en une avec : head -c 32 /dev/urandom | base64",
                en="Make one with: head -c 32 /dev/urandom | base64",
            ),
        )
    return master


def make_master(place: Path) -> bytes:
    """Write a new master key to ``place``, durably, readable by its owner alone."""
    master = os.urandom(KEY_BYTES)
    place.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(master) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return master


def warn_beside(place: Path) -> Words:
    """Return the warning that the master key lies beside what it opens."""
    return Words(
        fr=f"La clé maîtresse {place.name} est dans le dossier de l'entreprise : en production, gardez-la ailleurs "
        "([keys] master_file, ou la variable PARCOURS_MASTER_KEY).",
        en=f"The master key {place.name} lies in the company folder: in production keep it elsewhere "
        "([keys] master_file, or the variable PARCOURS_MASTER_KEY).",
    )
