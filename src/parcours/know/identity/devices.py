"""Devices attached: to the one profile that they stood beside, and to nobody where there were several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from parcours.know.identity.shared import DEVICE
from parcours.know.identity.verdicts import MERGED, NEVER_LINK, REDUNDANT, REFUSED, SHARED

Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


def attach_devices(
    kinds: npt.NDArray[np.int8],
    ends: Places,
    groups: Places,
    most: Sequence[int],
    never: Places,
    shared: Mask | None,
) -> npt.NDArray[np.int8]:
    """Give each device the group of the one profile that it stood beside, in ``groups``; return each edge's verdict.

    Args:
        kinds: The type of every identifier, rising.
        ends: Edges between an account and a device, in the order of first sight.
        groups: The group of every identifier, accounts already folded.
        most: The limit of each type.
        never: Pairs that must never be in one group.
        shared: Devices that are shared for good, as a mask of identifiers.
    """
    start, size = int(np.searchsorted(kinds, DEVICE)), len(kinds)
    account, device = ends[:, 0], ends[:, 1] - start
    several = _beside_too_many(kinds[account], device, most, size - start)
    if shared is not None:
        several |= shared[start:]
    owner = groups[account]
    first = np.zeros(size - start, np.intp)
    # Of several writes to one place the last one stays: the first sight.
    first[device[::-1]] = np.arange(len(ends) - 1, -1, -1)
    several[device[owner != owner[first[device]]]] = True
    verdicts = np.where(several[device], SHARED, REDUNDANT).astype(np.int8)
    queue = np.flatnonzero((first[device] == np.arange(len(ends))) & ~several[device])
    told = np.where(_is_early(owner[queue], most[DEVICE]), MERGED, REFUSED + DEVICE).astype(np.int8)
    _keep_apart(told, device[queue] + start, owner[queue], groups, most[DEVICE], never[never[:, 1] >= start])
    linked = queue[told == MERGED]
    groups[device[linked] + start] = owner[linked]
    becomes = np.full(size - start, REDUNDANT, np.int8)
    turned_down = told != MERGED
    becomes[device[queue[turned_down]]] = told[turned_down]
    alone = ~several[device]
    verdicts[alone] = becomes[device[alone]]
    verdicts[linked] = MERGED
    return verdicts


def _beside_too_many(kinds: npt.NDArray[np.int8], device: Places, most: Sequence[int], size: int) -> Mask:
    """Return which devices stood beside more users, mails or phones than one person may have: certainly several."""
    found = np.zeros(size, bool)
    for kind in range(DEVICE):
        found |= np.bincount(device[kinds == kind], minlength=size) > most[kind]
    return found


def _is_early(owners: Places, most: int) -> Mask:
    """Return which entries are among the first ``most`` of their owner."""
    early = np.ones(len(owners), bool)
    # Almost all have few: only those of the others are ranked.
    many = np.flatnonzero(np.bincount(owners)[owners] > most) if len(owners) else np.empty(0, np.intp)
    order = many[np.argsort(owners[many], kind="stable")]
    starts = np.flatnonzero(np.append(True, np.diff(owners[order]) != 0)[: len(order)])
    early[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order)))) < most
    return early


def _keep_apart(
    told: npt.NDArray[np.int8], devices: Places, owners: Places, groups: Places, limit: int, never: Places
) -> None:
    """Judge anew, one after the other, the devices of every owner who has one that must never be with somebody."""
    if not len(never):
        return
    partners: dict[int, set[int]] = {}
    for one, other in never.tolist():
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    wary = np.unique(owners[np.isin(devices, never)])
    for owner in wary.tolist():
        held, taken = {node for node in partners if groups[node] == owner}, 0
        for place in np.flatnonzero(owners == owner).tolist():
            node = int(devices[place])
            if partners.get(node, set()) & held:
                told[place] = NEVER_LINK
            elif taken == limit:
                told[place] = REFUSED + DEVICE
            else:
                told[place], taken = MERGED, taken + 1
                held.add(node)
