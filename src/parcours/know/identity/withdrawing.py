"""Edges taken away: what they showed of shared devices stays, without saying whose they were."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parcours.know.identity.edges import Edges
from parcours.know.identity.fold import LIMITS
from parcours.know.identity.shared import DEVICE, SharedDevices, find_shared
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
