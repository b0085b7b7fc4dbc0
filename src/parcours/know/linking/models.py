"""The models that were learnt: each as JSON with its number, checksummed, and the weights that it gives."""

from __future__ import annotations

import json
import math
from hashlib import sha256

import msgspec

from parcours.blueprint.records import Link
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database

_COLUMNS = ("model_no", "made_ms", "plan", "records", "body")


class Model(msgspec.Struct, frozen=True):
    """A model: what it was made for and when, from how many records, and its parameters; no value of anybody."""

    model_no: int
    made_ms: int
    plan: str
    records: int
    body: str


class Weight(msgspec.Struct, frozen=True):
    """What it says when two values stand so to each other.

    Attributes:
        field: Which values.
        level: How they stand, one of `parcours.know.linking.comparing.LEVELS`.
        same: The share of pairs of one person whose values stand so.
        strangers: The share of pairs of strangers whose values do.
        bits: The match weight, log2 of the ratio of both: above 0 it speaks for one person.
    """

    field: str
    level: str
    same: float
    strangers: float
    bits: float


class Models:
    """The models of one company, in ``state.db``."""

    def __init__(self, state: Database) -> None:
        self.table = models_of(state)

    def latest(self, plan: str) -> Model | None:
        """Return the last model that was made for ``plan``.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        found = [model for row in self.table.all("model_no") if (model := _read(row)).plan == plan]
        return found[-1] if found else None

    def keep(self, made_ms: int, plan: str, records: int, body: str) -> Model:
        """Keep a model under the next number; return it."""
        last = max((int(row[0] or 0) for row in self.table.all()), default=0)
        model = Model(last + 1, made_ms, plan, records, body)
        self.table.put([msgspec.structs.astuple(model)])
        return model


def models_of(state: Database) -> CheckedTable:
    """Return the table of models."""
    return CheckedTable(state, "link_models", _COLUMNS, ("model_no",))


def plan_of(link: Link) -> str:
    """Return what a model is made for, as a digest: what is compared and how, and by which groups."""
    told = [[[one.field, one.compare] for one in link.compare], sorted(sorted(group) for group in link.block)]
    return sha256(json.dumps(told).encode()).hexdigest()[:32]


def read_weights(model: Model) -> tuple[Weight, ...]:
    """Return the weights of a model by field, from the same to the different; those not learnt are left out."""
    found = []
    for comparison in json.loads(model.body)["comparisons"]:
        for level in comparison["comparison_levels"]:
            same, strangers = level.get("m_probability"), level.get("u_probability")
            if not level.get("is_null_level") and _is_share(same) and _is_share(strangers):
                bits = math.log2(same / strangers)
                found.append(Weight(comparison["output_column_name"], level["label_for_charts"], same, strangers, bits))
    return tuple(found)


def _is_share(value: object) -> bool:
    return isinstance(value, float) and 0 < value <= 1


def _read(row: tuple[object, ...]) -> Model:
    return msgspec.convert(dict(zip(_COLUMNS, row, strict=True)), Model)
