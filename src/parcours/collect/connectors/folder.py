"""The watched folder: new and changed files of a source are loaded once nobody writes to them any more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from parcours.collect.connectors.contract import Inlet, Kind, Options, Outlet, Port, Role, Where
from parcours.collect.connectors.faults import one_way
from parcours.collect.files import Stamp, find_files, stamp
from parcours.collect.source import Source
from parcours.errors import Fault, ParcoursError
from parcours.settings import Settings
from parcours.words import Words

LOOK_S: Final = 1.0
"""How long between two looks, and so how long a file must stay as it is before it counts as finished."""

Stamps = Mapping[Path, Stamp]


class FolderInlet:
    """The watch over the files of one source.

    A file is settled when two looks find the same size and date. The first settled look loads too, for what changed
    while nobody watched; files that are as the manifest knows them are not read again.
    """

    kind: Kind = "rows"
    pause_s = LOOK_S

    def __init__(self, source: Source, settings: Settings, folder: Path) -> None:
        self._patterns = [source.file or "", *([source.lookup.file] if source.lookup else [])]
        self._settings = settings
        self._folder = folder
        self._seen: Stamps | None = None
        self._loaded: Stamps | None = None

    def bring(self, port: Port) -> None:
        """Look once; load when something has changed since the last load and has settled.

        Raises:
            ParcoursError: what the load raises; the same files are tried again at the next call.
        """
        found = self._look()
        settled = found == self._seen
        self._seen = found
        if settled and found and found != self._loaded and not port.stopping():
            port.reload()
            self._loaded = found

    def close(self) -> None:
        """Nothing is held open."""

    def _look(self) -> Stamps:
        found = {}
        for pattern in self._patterns:
            for path in find_files(pattern, self._folder, self._settings):
                try:
                    found[path] = stamp(path)
                except FileNotFoundError:
                    continue
        return found


class FolderConnector:
    """The connector that every file source has while `serve` runs, without saying so."""

    name = "folder"
    roles: frozenset[Role] = frozenset({"in"})
    secrets: tuple[str, ...] = ()

    def check(self, options: Options, where: Where) -> list[Fault]:
        """Return a fault: it takes no options, and a source that names it has no file to watch."""
        sentence = Words(
            "Une source à fichiers est surveillée sans qu'on le demande.", "A source of files is watched by itself."
        )
        remedy = Words(
            "Écrivez file: avec le chemin, et ôtez connector: et options:.",
            "Write file: with the path, and take connector: and options: away.",
        )
        return [where.fault("folder_by_itself", (), sentence, remedy)]

    def kind(self, options: Options) -> Kind:
        """Rows: the source's mapping says what they are."""
        return "rows"

    def open_inlet(self, source: Source, options: Options, settings: Settings, folder: Path) -> Inlet:
        """Return the watch over a source's files."""
        if source.file is None:
            raise ParcoursError(
                "folder_by_itself",
                Words("La source n'a pas de fichier à surveiller.", "The source has no file to watch."),
                Words("Écrivez file: avec le chemin.", "Write file: with the path."),
            )
        return FolderInlet(source, settings, folder)

    def open_outlet(self, destination: str, options: Options, settings: Settings, folder: Path) -> Outlet:
        """Refuse: nothing is carried out into a folder."""
        raise one_way(self.name, "out")


FOLDER = FolderConnector()
