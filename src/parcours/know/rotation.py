"""Key rotation: what one key wraps or seals, wrapped or sealed by another, whatever moment it is cut short."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

import msgspec

from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.lock import company_lock, serving_lock
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.audit.log import Audit
from parcours.know.keys import Keys
from parcours.know.master_key import NEXT, NEXT_VARIABLE, VARIABLE, decode, make_master
from parcours.know.rights.requests import Requests
from parcours.settings import Settings
from parcours.words import Words

Rotating = Literal["master", "identifiers", "quarantine"]
ROTATING: tuple[Rotating, ...] = get_args(Rotating)
_FIXED = {
    "pseudonyms": Words(
        fr="La clé des pseudonymes ne tourne pas : chaque événement gardé la porte, et il faudrait tous les réécrire "
        "(docs/adr/0003).",
        en="The pseudonym key does not rotate: every kept event bears it, and all would have to be written anew "
        "(docs/adr/0003).",
    ),
    "checks": Words(
        fr="La clé des sommes de contrôle ne tourne pas : la chaîne du registre repose sur elle.",
        en="The key of checksums does not rotate: the chain of the ledger rests on it.",
    ),
    "rows": Words(
        fr="La clé des lignes ne tourne pas : les fichiers déjà lus seraient relus comme nouveaux.",
        en="The key of rows does not rotate: files that were read already would be read as new.",
    ),
}


_STOP = Words(
    fr="Arrêtez-le, faites tourner la clé, puis relancez-le : il tient l'ancienne en mémoire.",
    en="Stop it, rotate the key, then start it again: it holds the old one in memory.",
)


class Rotated(msgspec.Struct, frozen=True):
    """A rotation that is done: of which key, how many keys or seals were made anew, and the master key's new file."""

    key: Rotating
    count: int
    place: str | None = None


def rotate(
    name: str, folder: Path, settings: Settings, keys: Keys, state: Database, manifest: Manifest, audit: Audit
) -> Rotated:
    """Put another key in the place of ``name``: `master`, `identifiers` (which wraps theirs) or `quarantine`.

    Nothing may be served meanwhile: whoever has the old key in memory would go on using it.

    Raises:
        ParcoursError: ``key_does_not_rotate``, ``already_serving``, ``already_running``, ``key_damaged`` …
    """
    if name not in ROTATING:
        raise _does_not_rotate(name)
    with serving_lock(folder, _STOP), company_lock(folder):
        audit.note("cli", "manage_keys", "key", name, "done", "rotation")
        if name == "master":
            place = rotate_master(keys, folder, settings)
            return Rotated("master", 1, str(place) if place else None)
        if name == "identifiers":
            return Rotated("identifiers", keys.rewrap_identifiers())
        keys.begin_quarantine()
        count = AsideEvents(manifest.database).reseal(keys.reseal)
        count += OutboxTable(manifest.database).reseal(keys.reseal)
        count += manifest.reseal(keys.reseal)
        manifest.database.truncate_log()
        count += Requests(state, keys, settings.time_zone).reseal(keys.reseal)
        state.truncate_log()
        keys.end_quarantine()
        return Rotated("quarantine", count)


def _does_not_rotate(name: str) -> ParcoursError:
    listed = ", ".join(ROTATING)
    unknown = Words(fr=f"Il n'y a pas de clé « {name} ».", en=f"There is no key “{name}”.")
    return ParcoursError(
        "key_does_not_rotate",
        _FIXED.get(name, unknown),
        Words(
            fr=f"Clés qui tournent : {listed}. Si celle-ci est connue d'autrui, effacez le dossier .parcours et "
            f"rechargez les sources sous une nouvelle {VARIABLE} ; qui a été effacé est alors à effacer de nouveau.",
            en=f"Keys that rotate: {listed}. If others know this one, remove the .parcours folder and load the sources "
            f"again under a new {VARIABLE}; whoever was erased is then to be erased again.",
        ),
    )


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
