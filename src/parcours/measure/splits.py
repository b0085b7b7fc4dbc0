"""How rows are parted: by channel, stage, a group of customers, week or month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from parcours.engine.sql.step import Step
from parcours.measure.contract import Column
from parcours.measure.intervals import Codes
from parcours.measure.questions import Questions
from parcours.words import Words

SPLITS: dict[str, Column] = {
    "channel": Column("channel", Words(fr="Canal", en="Channel")),
    "stage": Column("stage", Words(fr="Étape", en="Stage")),
    "group": Column("group", Words(fr="Groupe", en="Group")),
    "week": Column("week", Words(fr="Semaine du", en="Week of")),
    "month": Column("month", Words(fr="Mois", en="Month")),
}
DAY_MS = 86_400_000


class Labelled(NamedTuple):
    """Codes and the labels they stand for; the last label may be ``None`` (not known)."""

    codes: Codes
    labels: list[str | None]


def quote_group(group: str) -> str:
    """Return the column of a group of customers as SQL writes it."""
    return '"group_' + group.replace('"', '""') + '"'


def define_customers_by_group(group: str) -> Step:
    """Return the step that gives each customer the latest known value of ``group``."""
    return Step(
        name=f"customers_by_group_{group}",
        text=f"select customer, {quote_group(group)} as label from customers",
        reads=("customers",),
        gives={"customer": "int", "label": "text"},
        columns={"customers": {f"group_{group}": "text"}},
    )


def encode(labels: np.ndarray[tuple[int], np.dtype[np.object_]]) -> Labelled:
    """Return texts as codes, labels in alphabetical order, ``None`` last where there is any."""
    texts = pa.array(labels, type=pa.string()).dictionary_encode()
    found = texts.dictionary.to_pylist()
    order = np.argsort(np.array(found, dtype=object)) if found else np.empty(0, np.int64)
    rank = np.empty(len(found) + 1, np.int64)
    rank[order] = np.arange(len(found))
    rank[-1] = len(found)
    codes = rank[texts.indices.fill_null(len(found)).to_numpy()]
    missing: list[str | None] = [None] if texts.null_count else []
    return Labelled(codes, [found[i] for i in order] + missing)


def group_customers(questions: Questions, group: str) -> Labelled:
    """Return the group of every customer, indexed by the customer's code."""
    answer = questions.ask(define_customers_by_group(group))
    coded = encode(answer["label"])
    codes = np.full(int(answer["customer"].max(initial=-1)) + 1, len(coded.labels) - 1)
    codes[answer["customer"]] = coded.codes
    return Labelled(codes, coded.labels)


def find_periods(times_ms: Codes, by: str) -> Codes:
    """Return the start of the week (Monday) or month of each instant, epoch milliseconds, in UTC."""
    if by == "week":
        return times_ms - (times_ms + 3 * DAY_MS) % (7 * DAY_MS)
    months = times_ms.astype("datetime64[ms]").astype("datetime64[M]")
    return months.astype("datetime64[ms]").astype(np.int64)


def write_period(start_ms: int, by: str) -> str:
    """Return ``2026-11-16`` for a week, ``2026-11`` for a month."""
    return datetime.fromtimestamp(start_ms / 1000, UTC).strftime("%Y-%m-%d" if by == "week" else "%Y-%m")
