"""The master key: a file or a variable of the environment, made on the first run, replaced by a rotation."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING

from parcours.errors import ParcoursError
from parcours.settings import Settings
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.know.keys import Keys

VARIABLE = "PARCOURS_MASTER_KEY"
NEXT_VARIABLE = "PARCOURS_NEXT_MASTER_KEY"
KEY_BYTES = 32
NEXT = ".next"
"""What the file of a master key that is about to be in force is called beside the one that is."""


def rotate_master(keys: Keys, folder: Path, settings: Settings) -> Path | None:
    """Wrap the company's keys with another master key; return the file that now holds it.

    Where the master key comes from the environment, the next one is ``PARCOURS_NEXT_MASTER_KEY``, no file is written,
    and nothing is returned. Cut short at any moment, one of the two keys opens the company, and the next start says
    which by opening it.

    Raises:
        ParcoursError: ``next_master_key_missing``, ``master_key_unreadable``.
    """
    if os.environ.get(VARIABLE):
        written = os.environ.get(NEXT_VARIABLE)
        if not written:
            raise ParcoursError(
                "next_master_key_missing",
                Words(
                    fr=f"La clé maîtresse vient de {VARIABLE}, et la suivante n'est pas donnée.",
                    en=f"The master key comes from {VARIABLE}, and the next one is not given.",
                ),
                Words(
                    fr=f"Donnez-la par {NEXT_VARIABLE} (head -c 32 /dev/urandom | base64), puis mettez-la à la place "
                    "de la première.",
                    en=f"Give it by {NEXT_VARIABLE} (head -c 32 /dev/urandom | base64), then put it in the place of "
                    "the first.",
                ),
            )
        keys.rewrap_master(decode(written, NEXT_VARIABLE))
        return None
    place = settings.locate(settings.keys.master_file, folder)
    coming = place.with_name(place.name + NEXT)
    coming.unlink(missing_ok=True)
    master = make_master(coming)
    keys.rewrap_master(master)
    coming.replace(place)
    return place


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
