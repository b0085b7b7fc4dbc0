"""The model of who is one person: learnt from the records themselves, kept as JSON, and asked for weights of pairs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Link
from parcours.engine.sql.duckdb import open_scratch
from parcours.errors import ParcoursError
from parcours.know.linking.comparing import COUNTED, describe_comparison
from parcours.know.linking.groups import Group, Groups
from parcours.know.linking.records import RECORD, column_of
from parcours.know.pseudonyms import Numbers
from parcours.words import Words

SAMPLED_PAIRS = 1e6 + 1
TRAINING_PAIRS = 4e5
SCORED_A_MB = 750
"""Records whose pairs stand in memory together, by what may be taken of it."""

LEAST_SHARE = 0.001
"""The least share of one person's records that stand in any way to each other: no single difference is proof."""

FOUND_BY_SURE = 0.8
"""The share of the pairs of one person that share a sure group: what is counted so is divided by it."""


class Pairs(msgspec.Struct, frozen=True):
    """Pairs of records with their match weight (log2 of the odds that both are one person) in thousandths of a bit."""

    one: Numbers
    other: Numbers
    weight_milli: Numbers


class Linking:
    """Records in memory, beside each other for one batch: nothing of it is ever written to a disk.

    Args:
        link: What the blueprint says.
        records: See `parcours.know.linking.records`.
        memory_mb, threads: What it may take.

    Raises:
        ParcoursError: ``link_not_installed``.
    """

    def __init__(self, link: Link, records: pa.Table, memory_mb: int, threads: int) -> None:
        self._splink = _import_splink()
        self._link = link
        self._records = records
        self._memory_mb = memory_mb
        self._api = self._splink.DuckDBAPI(connection=open_scratch(memory_mb, threads))
        self._table: Any = None
        self._linker: Any = None

    def train(self, groups: Groups) -> str:
        """Learn the weights and return the model: shares alone, and no value of anybody.

        How often strangers agree comes from pairs drawn by chance, how often one person's records do from expectation
        and maximisation over pairs that share a group (Fellegi and Sunter 1969; Winkler 1988).
        """
        settings = self._splink.SettingsCreator(
            link_type="dedupe_only",
            comparisons=[describe_comparison(one) for one in self._link.compare],
            blocking_rules_to_generate_predictions=[self._rule(group) for group in groups.block],
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=False,
        )
        with _faults_told():
            model = self._train(self._open(settings), groups)
        self._linker = None
        return model

    def _train(self, linker: Any, groups: Groups) -> str:
        training = linker.training
        # Where hardly anybody seems to be one with another, or more than can be, the usual prior stands.
        with suppress(ValueError):
            if groups.sure:
                training.estimate_probability_two_random_records_match(
                    [self._rule(group) for group in groups.sure], recall=FOUND_BY_SURE
                )
        training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
        for group in groups.training:
            training.estimate_parameters_using_expectation_maximisation(
                self._rule(group), estimate_without_term_frequencies=True, max_pairs=TRAINING_PAIRS
            )
        return json.dumps(_soften(linker.misc.save_model_to_json()), sort_keys=True)

    def score(self, model: str, new: Numbers | None = None) -> Pairs:
        """Return the pairs whose weight reaches the review band; with ``new`` records, those alone that hold one.

        A model that was kept knows no frequency of any value: those are counted again in these records.
        """
        with _faults_told():
            return self._score(self._linker or self._open(json.loads(model)), new)

    def _score(self, linker: Any, new: Numbers | None) -> Pairs:
        least = self._link.weights()[1]
        if new is None or len(new) == self._records.num_rows:
            pieces = -(-self._records.num_rows // (SCORED_A_MB * self._memory_mb))
            chunks = {"num_chunks_left": pieces, "num_chunks_right": 1} if pieces > 1 else {}
            return _read(linker.inference.predict(threshold_match_weight=least, warning_mode="never", **chunks))
        for one in self._link.compare:
            if one.compare in COUNTED:
                linker.table_management.compute_tf_table(column_of(one.field))
        fresh = np.isin(np.asarray(self._records.column(RECORD)), new)
        some = self._api.register(self._records.filter(pa.array(fresh)))
        rest = self._api.register(self._records.filter(pa.array(~fresh)))
        asked = {"threshold_match_weight": least, "warning_mode": "never"}
        found = [linker.inference.predict_between(some, rest, **asked), linker.inference.predict_within(some, **asked)]
        both = [_read(one) for one in found]
        return Pairs(*(np.concatenate([getattr(one, name) for one in both]) for name in Pairs.__struct_fields__))

    def _open(self, settings: Any) -> Any:
        logging.getLogger("splink").setLevel(logging.ERROR)
        if self._table is None:
            self._table = self._api.register(self._records)
        self._linker = self._splink.Linker(self._table, settings, log_level=None)
        return self._linker

    def _rule(self, group: Group) -> Any:
        return self._splink.block_on(*map(column_of, group))


def _soften(model: dict[str, Any]) -> dict[str, Any]:
    for comparison in model["comparisons"]:
        for level in comparison["comparison_levels"]:
            if isinstance(level.get("m_probability"), float):
                level["m_probability"] = max(level["m_probability"], LEAST_SHARE)
    return model


@contextmanager
def _faults_told() -> Iterator[None]:
    """Turn what Splink and its engine raise into a sentence; both name statements, and none a value."""
    try:
        yield
    except Exception as fault:
        memory = "out of memory" in str(fault).lower()
        told = Words(fr="la mémoire ne suffit pas", en="memory does not suffice") if memory else Words(str(fault)[:300])
        raise ParcoursError(
            "link_failed",
            Words(fr=f"Le rapprochement s'est arrêté : {told.fr}.", en=f"Linking stopped: {told.en or told.fr}."),
            Words(
                fr="Rien n'est changé. Donnez plus de mémoire ([engine] memory_mb), ou comparez moins (link.block).",
                en="Nothing has changed. Give more memory ([engine] memory_mb), or compare less (link.block).",
            ),
        ) from fault


def _read(predicted: Any) -> Pairs:
    table = predicted.as_pyarrow_table().select([f"{RECORD}_l", f"{RECORD}_r", "match_weight"])
    one, other = (np.asarray(table.column(f"{RECORD}_{side}"), np.int64) for side in "lr")
    weight = np.clip(np.asarray(table.column("match_weight"), np.float64), -1e6, 1e6)
    return Pairs(one, other, np.round(weight * 1000).astype(np.int64))


def _import_splink() -> Any:
    try:
        import splink
    except ImportError as missing:
        raise ParcoursError(
            "link_not_installed",
            Words(
                fr="Le rapprochement des personnes demande Splink, qui n'est pas installé.",
                en="Linking people needs Splink, which is not installed.",
            ),
            Words(fr="Installez-le : pip install 'parcours[link]'.", en="Install it: pip install 'parcours[link]'."),
        ) from missing
    return splink
