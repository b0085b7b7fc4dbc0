"""Edges taken away: what they showed of shared devices stays, without saying whose they were."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parcours.engine.store.sqlite import Database
from parcours.know.identity.acts import Acts
from parcours.know.identity.edges import Edges
from parcours.know.identity.fold import LIMITS
from parcours.know.identity.renaming import Renamed
from parcours.know.identity.scored import Scored
from parcours.know.identity.shared import DEVICE, SharedDevices, find_shared
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, types_of


def withdraw_edges(edges: Edges, shared: SharedDevices, event_nos: Numbers, limits: Mapping[str, int]) -> None:
    """Take away the edges that only these events showed; devices that they showed to be shared stay so."""
    gone = edges.at(event_nos)
    devices = np.unique(gone[types_of(gone[:, 2]) == DEVICE][:, 2])
    if len(devices):
        seen = edges.read()
        found = find_shared(seen[np.isin(seen[:, 2], devices)], {**LIMITS, **limits})
        shared.note(found, int(event_nos.max(initial=0)))
    edges.withdraw(event_nos)


def forget_people(state: Database, keys: Keys, pseudonyms: Numbers, event_no: int) -> int:
    """Take away all that says of ``pseudonyms`` who they are; return how many lines that were.

    Where somebody is erased, these are all identifiers of the profile: any device beside one of them and beside
    somebody else as well is shared for good, so that the events of whoever is gone are handed to nobody.
    """
    edges, shared = Edges(state, keys), SharedDevices(state, keys)
    with state.transaction():
        seen = edges.read()
        mine = np.isin(seen[:, 1], pseudonyms) | np.isin(seen[:, 2], pseudonyms)
        devices = np.setdiff1d(seen[mine & (types_of(seen[:, 2]) == DEVICE)][:, 2], pseudonyms)
        others = np.unique(seen[~mine & np.isin(seen[:, 2], devices)][:, 2])
        shared.note(others, event_no)
        gone = edges.forget(pseudonyms) + shared.forget(pseudonyms[types_of(pseudonyms) == DEVICE])
        for one in (Acts(state, keys), Scored(state, keys), Renamed(state, keys)):
            gone += one.forget(pseudonyms)
    return gone
