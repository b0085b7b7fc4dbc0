"""Which fields two people must have in common to be compared: groups that strangers seldom share, found in the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Comparison
from parcours.collect.door import IDENTIFIERS
from parcours.know.linking.records import column_of
from parcours.know.pseudonyms import Numbers

Group = tuple[str, ...]

PAIRS_A_RECORD, FEW_PAIRS, FEWEST_A_RECORD = 15, 2_000_000, 1.5
"""With how many others a record may be compared for one group: fewer where that makes more than so many pairs in all,
down to the last figure."""

MOST_GROUPS, TOGETHER = 14, 3
"""How many groups there are at most, and how much more than one alone all of them may cost."""

_LARGEST_GROUP = 3
_SAMPLE = 60_000
_MOST_SURE = 6


class Groups(msgspec.Struct, frozen=True):
    """What to compare by.

    Attributes:
        block: Whoever shares all values of one of these is compared.
        sure: Whoever shares one of these is nearly always one person.
        training: Two or more of ``block``, together without a field in common to all, from which weights are learnt.
    """

    block: tuple[Group, ...]
    sure: tuple[Group, ...]
    training: tuple[Group, ...]


def choose_groups(records: pa.Table, compare: Sequence[Comparison], given: Iterable[Group] = ()) -> Groups:
    """Choose groups of the fields of ``compare`` from ``records`` (see `parcours.know.linking.records`).

    Strangers share a group as often as two of a sample do; the smallest groups that cost few enough comparisons are
    taken. ``given`` ones stand as they are.
    """
    # Whoever shares an identifier itself is one person already.
    fields = [one.field for one in compare if one.field not in IDENTIFIERS] or [one.field for one in compare]
    shared = _count_shared(records, fields)
    total = records.num_rows
    # What is expected of all records, pairs a record.
    cost = {group: chance * total / 2 for group, chance in shared.items()}
    most = max(min(PAIRS_A_RECORD, FEW_PAIRS / max(total, 1)), FEWEST_A_RECORD)
    block = tuple(given) or _smallest(cost, most)
    if not block:
        block = tuple(sorted(cost, key=cost.__getitem__)[:1])
    widest = min(_LARGEST_GROUP, len(fields))
    # Of the widest groups those that are shared least: nearly all who share one are one person.
    sure = tuple(sorted((one for one in cost if len(one) == widest and cost[one]), key=cost.__getitem__)[:_MOST_SURE])
    return Groups(block, sure, _choose_training(block, cost, fields))


def _count_shared(records: pa.Table, fields: Sequence[str]) -> dict[Group, float]:
    """Return the share of pairs of a sample that have all values of a group in common, by group."""
    size = records.num_rows
    rows = np.random.default_rng(7).permutation(size)[:_SAMPLE] if size > _SAMPLE else np.arange(size)
    sample = records.take(pa.array(np.sort(rows)))
    codes = {field: _code(sample.column(column_of(field))) for field in fields}
    pairs = max(len(rows) * (len(rows) - 1) / 2, 1)
    shared: dict[Group, float] = {}
    for width in range(1, min(_LARGEST_GROUP, len(fields)) + 1):
        for group in combinations(fields, width):
            shared[group] = _pairs_in_common([codes[field] for field in group]) / pairs
    return shared


def _code(column: pa.ChunkedArray) -> Numbers:
    coded = pc.dictionary_encode(column.combine_chunks())
    indices = coded.indices if isinstance(coded, pa.DictionaryArray) else coded.combine_chunks().indices
    codes: Numbers = np.asarray(indices.fill_null(-1), np.int64)
    return codes


def _pairs_in_common(columns: Sequence[Numbers]) -> float:
    known = np.logical_and.reduce([codes >= 0 for codes in columns])
    joined: npt.NDArray[np.int64] = np.zeros(int(known.sum()), np.int64)
    for codes in columns:
        joined = joined * (int(codes.max(initial=0)) + 1) + codes[known]
    counts = np.unique(joined, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)


def _smallest(cost: dict[Group, float], most: float) -> tuple[Group, ...]:
    """Return the groups that cost at most ``most`` and hold no smaller one that does: the cheapest of many."""
    chosen: list[Group] = []
    for group in sorted(cost, key=lambda group: (len(group), cost[group])):
        if cost[group] <= most and not any(set(other) <= set(group) for other in chosen):
            chosen.append(group)
    chosen.sort(key=cost.__getitem__)
    spent = np.cumsum([cost[group] for group in chosen])
    return tuple(chosen[: max(1, int((spent <= TOGETHER * most).sum()))][:MOST_GROUPS])


def _choose_training(block: Sequence[Group], cost: dict[Group, float], fields: Sequence[str]) -> tuple[Group, ...]:
    """Return groups so that every field stands outside one of them: there its weights can be learnt."""
    ordered = sorted(block, key=lambda group: cost.get(group, 0.0), reverse=True)
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if not set(one) & set(other):
                return one, other
    chosen: list[Group] = []
    unlearnt = set(fields)
    for group in ordered:
        if unlearnt - set(group):
            chosen.append(group)
            unlearnt &= set(group)
        if not unlearnt:
            break
    return tuple(chosen)
