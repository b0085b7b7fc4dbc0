"""Whether `journal.db` and `state.db` are of one moment: a backup or a damaged log may take one of them back alone."""

from __future__ import annotations

from pathlib import Path

from parcours.engine.store.manifest import Manifest
from parcours.engine.store.restoring import tell_restoring
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.state import numbers_of, read_numbers
from parcours.words import Words

_KIND, _SETTLED = "moment", "settled"


def note_settled(state: Database, event_no: int) -> None:
    """Note that the door has settled every event up to ``event_no``, inside the transaction that keeps them."""
    numbers = numbers_of(state)
    if event_no > read_numbers(numbers, _KIND).get(_SETTLED, -1):
        numbers.put([(_KIND, _SETTLED, event_no)])


def compare_moments(manifest: Manifest, state: Database) -> None:
    """Raise unless the two files know of the same events.

    An event is numbered in the journal, then settled in the state, then in force in the journal, each durably before
    the next: so every part was settled, and every settled event has a number that is not given again.

    Raises:
        ParcoursError: ``moments_apart``.
    """
    # What is written in this order must be read in the other, or another process may write in between.
    in_force = max((part.last_event_no for part in manifest.parts()), default=-1)
    settled = read_numbers(numbers_of(state), _KIND).get(_SETTLED)
    following = manifest.next_event_no
    if settled is None or following is None:
        return
    if in_force > settled:
        raise _apart("state.db", "journal.db", state.path)
    if settled >= following:
        raise _apart("journal.db", "state.db", state.path.with_name("journal.db"))


def _apart(older: str, newer: str, path: Path) -> ParcoursError:
    return ParcoursError(
        "moments_apart",
        Words(
            fr=f"{older} est plus ancien que {newer} : l'un des deux vient d'une sauvegarde d'un autre moment, ou a "
            "perdu ses dernières modifications.",
            en=f"{older} is older than {newer}: one of the two comes from a backup of another moment, or has lost its "
            "last changes.",
        ),
        tell_restoring(".parcours"),
        path,
    )
