"""One batch of linking: who may be compared, the model learnt or loaded, new people against known ones, edges kept."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.blueprint.records import Link
from parcours.engine.store.sqlite import Database
from parcours.engine.store.tables import Tables
from parcours.errors import ParcoursError
from parcours.know.identity.people import People
from parcours.know.identity.scored import ACCEPTED, REFUSED, WAITING, Scored
from parcours.know.keys import Keys
from parcours.know.linking.groups import choose_groups
from parcours.know.linking.model import Linking
from parcours.know.linking.models import Model, Models, Weight, plan_of, read_weights
from parcours.know.linking.records import RECORD, digest_records, gather_records, read_in_order, wanted_identifiers
from parcours.know.personal import Personal
from parcours.know.pseudonyms import Numbers
from parcours.know.reading import Permission
from parcours.know.vault import Vault
from parcours.progress import Progress
from parcours.settings import Settings
from parcours.words import Words

LINKED = "know.linked"
"""The table of whom the last batch compared, with a keyed digest of their values: whoever is not in it is new."""

_RECORDS, _SUMMARY = "records.parquet", "summary.json"
FEWEST = 50
"""Fewer people teach a model nothing."""


class Linked(msgspec.Struct, frozen=True):
    """What a batch did.

    Attributes:
        at_ms: When it ended.
        people: How many people took part.
        fresh: How many of them were new or changed, and so compared with all.
        trained: Whether the model was learnt anew.
        model_no: Which model gave the weights.
        found: How many pairs reached the review band, of those that were not known before.
        accepted: How many pairs of all are one person now.
        waiting: How many wait for a person to decide.
        refused: How many a person refused.
        held: How many of those that wait weigh enough, and were refused by a limit of one person.
    """

    at_ms: int
    people: int
    fresh: int
    trained: bool
    model_no: int
    found: int
    accepted: int
    waiting: int
    refused: int
    held: int = 0


class Linkage(msgspec.Struct, frozen=True):
    """What there is to show of linking: the last batch, the model that it used, and its weights."""

    last: Linked | None
    made_ms: int | None = None
    records: int = 0
    weights: tuple[Weight, ...] = ()


class Batch:
    """The batch of one company.

    Args:
        link: What the blueprint says.
        folder: The company folder.
        state, keys: Where it is kept.
        settings: What it may take.
    """

    def __init__(self, link: Link, folder: Path, state: Database, keys: Keys, settings: Settings) -> None:
        self._link = link
        self._state, self._keys, self._settings = state, keys, settings
        self._tables = Tables(folder)
        self._models = Models(state)
        self._scored = Scored(state, keys)
        self._plan = plan_of(link)

    def run(self, people: People, permission: Permission, train: bool, progress: Progress) -> Linked:
        """Compare whoever is new with everybody, and keep the pairs that are probably one person.

        Raises:
            ParcoursError: ``link_not_installed``, ``too_few_to_link``, ``state_damaged`` …
        """
        progress.begin(Words(fr="Valeurs à comparer", en="Values to compare"))
        records = self._gather(people, permission)
        progress.end()
        if records.num_rows < FEWEST:
            raise _too_few(records.num_rows)
        model = None if train else self._models.latest(self._plan)
        trained = model is None
        engine = self._settings.engine
        linking = Linking(self._link, records, engine.memory_mb, engine.threads)
        if model is None:
            progress.begin(Words(fr="Modèle appris", en="Model learnt"))
            body = linking.train(choose_groups(records, self._link.compare, self._link.block))
            model = self._models.keep(_now_ms(), self._plan, records.num_rows, body)
            progress.end()
        digests = digest_records(records, self._keys.checks)
        fresh = self._find_fresh(records, digests, model)
        progress.begin(Words(fr="Paires comparées", en="Pairs compared"))
        found = self._keep(linking, model, fresh, people.as_of) if len(fresh) else 0
        progress.end()
        standing = self._scored.read().standing
        counts = [int((standing == where).sum()) for where in (ACCEPTED, WAITING, REFUSED)]
        told = Linked(_now_ms(), records.num_rows, len(fresh), trained, model.model_no, found, *counts)
        self._remember(records, digests, model, told)
        return told

    def show(self) -> Linkage:
        """Return what there is to show; nothing is compared."""
        model = self._models.latest(self._plan)
        version = self._hold()
        last = None
        if version is not None:
            last = msgspec.json.decode((version / _SUMMARY).read_bytes(), type=Linked)
        if model is None:
            return Linkage(last)
        return Linkage(last, model.made_ms, model.records, read_weights(model))

    def _gather(self, people: People, permission: Permission) -> pa.Table:
        wanted = wanted_identifiers(self._link.compare, people, permission)
        identifiers = read_in_order(wanted, Vault(self._state, self._keys).read_identifiers(wanted))
        told = Personal(self._state, self._keys).read()
        return gather_records(self._link.compare, told, identifiers, people, permission)

    def _find_fresh(self, records: pa.Table, digests: Numbers, model: Model) -> Numbers:
        """Return the records that the last batch did not compare as they are now, under this model."""
        ids = np.asarray(records.column(RECORD))
        version = self._hold()
        if version is None or self._tables.fingerprint(LINKED) != self._mark(model):
            return ids
        known = pq.read_table(version / _RECORDS)
        seen = np.sort(_mix(np.asarray(known.column("record")), np.asarray(known.column("digest"))))
        return ids[~np.isin(_mix(ids, digests), seen)]

    def _keep(self, linking: Linking, model: Model, fresh: Numbers, event_no: int) -> int:
        pairs = linking.score(model.body, fresh)
        accept = round(self._link.weights()[0] * 1000)
        standing = np.where(pairs.weight_milli >= accept, ACCEPTED, WAITING).astype(np.int8)
        return self._scored.append(pairs.one, pairs.other, pairs.weight_milli, model.model_no, event_no, standing)

    def _remember(self, records: pa.Table, digests: Numbers, model: Model, told: Linked) -> None:
        with self._tables.replace(LINKED, self._mark(model)) as draft:
            columns = {"record": records.column(RECORD), "digest": pa.array(digests)}
            pq.write_table(pa.table(columns), draft / _RECORDS, compression="zstd")
            (draft / _SUMMARY).write_bytes(msgspec.json.encode(told))

    def _hold(self) -> Path | None:
        fingerprint = self._tables.fingerprint(LINKED)
        self._version = self._tables.hold(LINKED, fingerprint) if fingerprint else None
        return self._version.path if self._version else None

    def _mark(self, model: Model) -> str:
        return f"{self._plan}-{model.model_no}"


def _mix(ids: Numbers, digests: Numbers) -> Numbers:
    return ids * np.int64(0x1E3779B97F4A7C15) ^ digests


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _too_few(people: int) -> ParcoursError:
    return ParcoursError(
        "too_few_to_link",
        Words(
            fr=f"{people} personne(s) seulement peuvent être comparées : il en faut {FEWEST} pour apprendre un modèle.",
            en=f"Only {people} people can be compared: it takes {FEWEST} to learn a model.",
        ),
        Words(
            fr="Chargez des événements qui portent les champs comparés, et vérifiez link.purpose et les consentements.",
            en="Load events that carry the compared fields, and check link.purpose and the consents.",
        ),
    )


def not_declared(folder: Path) -> ParcoursError:
    """Return the error for a blueprint that compares nobody."""
    return ParcoursError(
        "link_not_declared",
        Words(
            fr="Le blueprint ne dit pas quelles personnes comparer (section link).",
            en="The blueprint does not say which people to compare (section link).",
        ),
        Words(
            fr="Ajoutez link: avec purpose et compare ; la forme est dans docs/reference/blueprint.md.",
            en="Add link: with purpose and compare; the form is in docs/reference/blueprint.md.",
        ),
        folder / "blueprint.yaml",
    )
