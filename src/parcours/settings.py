"""`parcours.toml`: engine, languages, time zone, ports and places, read into one record."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import msgspec

from parcours.errors import ParcoursError
from parcours.words import Language, Words

FILE = "parcours.toml"
_PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which engine answers, and what it may take of the machine."""

    name: str = "duckdb"
    memory_mb: int = 1200
    threads: int = 2


class ServeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where `parcours serve` listens; the loopback unless somebody asks otherwise.

    ``public_url`` is the address by which people reach the pages through a proxy; ``forwarded`` says that this proxy
    tells the client's address.
    """

    host: str = "127.0.0.1"
    port: int = 8600
    public_url: str = ""
    forwarded: bool = False


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The OpenID Connect provider that signs people in; its secret is named as ``${VARIABLE}``, never written."""

    issuer: str
    client_id: str
    client_secret: str = ""
    name: str = "SSO"


class SignInSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how long sessions end, and who signs people in beside their own passwords."""

    idle_minutes: int = 60
    longest_hours: int = 12
    provider: ProviderSettings | None = None


class CollectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How `parcours serve` collects events: where it listens, under which names, and what it may hold.

    ``hosts`` are the names that it answers to beside the loopback's (``*`` for any); ``forwarded`` says that a proxy of
    the company's own tells the client's address; ``every_s`` is how often what was accepted becomes parts.
    """

    host: str = "127.0.0.1"
    port: int = 8601
    hosts: tuple[str, ...] = ()
    public_url: str = ""
    forwarded: bool = False
    workers: int = 1
    in_flight_mb: int = 64
    backlog_mb: int = 4096
    every_s: float = 10.0
    quarantine_days: int = 30


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the master key lies, which opens every other key; outside the company folder in production."""

    master_file: str = ".parcours/master.key"


class RightsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what remains of an erasure is kept: ``backup_days`` is how old a backup of the company gets at most.

    ``tombstone_days`` is how long a second delivery of what was erased is refused; by default the six years within
    which an offence can be prosecuted in France (Code de procédure pénale, art. 8).
    """

    tombstone_days: int = 2192
    backup_days: int = 30


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one company folder; every field has a default."""

    language: Language = "fr"
    time_zone: str = "Europe/Paris"
    engine: EngineSettings = EngineSettings()
    serve: ServeSettings = ServeSettings()
    collect: CollectSettings = CollectSettings()
    sign_in: SignInSettings = SignInSettings()
    keys: KeySettings = KeySettings()
    rights: RightsSettings = RightsSettings()
    places: dict[str, str] = {}

    def locate(self, path: str, folder: Path) -> Path:
        """Return ``path`` with each ``${place}`` filled in, relative to the company ``folder``.

        A place is looked up in the environment as ``PARCOURS_PLACE_<NAME>`` first, then in ``[places]``;
        ``${package:NAME}`` is not a place. A place that is set nowhere raises `ParcoursError`.
        """

        def fill(match: re.Match[str]) -> str:
            name = match.group(1)
            value = os.environ.get(f"PARCOURS_PLACE_{name.upper()}") or self.places.get(name)
            if value is None:
                raise ParcoursError(
                    "place_not_set",
                    Words(
                        fr=f"Le lieu « {name} » n'est défini nulle part.",
                        en=f"The place “{name}” is set nowhere.",
                    ),
                    Words(
                        fr=f'Ajoutez {name} = "/chemin" sous [places] dans {FILE}, '
                        f"ou la variable PARCOURS_PLACE_{name.upper()}.",
                        en=f'Add {name} = "/path" under [places] in {FILE}, or set PARCOURS_PLACE_{name.upper()}.',
                    ),
                    folder / FILE,
                )
            return value

        return (folder / Path(_PLACE.sub(fill, path)).expanduser()).resolve()


def read_settings(folder: Path) -> Settings:
    """Read ``folder/parcours.toml``; a missing file gives the defaults, a faulty one raises `ParcoursError`."""
    path = folder / FILE
    if not path.exists():
        return Settings()
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as fault:
        raise ParcoursError(
            "settings_unreadable",
            Words(fr=f"Les réglages ne se lisent pas : {fault}.", en=f"The settings cannot be read: {fault}."),
            Words(
                fr="Corrigez ce réglage ; la référence est docs/reference/settings.md.",
                en="Mend that setting; the reference is docs/reference/settings.md.",
            ),
            path,
        ) from fault
