"""The gate: no purpose or no basis, no rows; what it opens holds nothing but what the purpose may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from parcours.engine.sql.step import Engine, Step, Table, Value
from parcours.engine.store.tables import Version
from parcours.know.derive import Summary
from parcours.know.live import Live
from parcours.know.masks import mask
from parcours.know.omissions import Omission
from parcours.words import Words


class Permitted:
    """The rows of one purpose, as `parcours.know.Know.events_for` opened them.

    Attributes:
        purpose: The purpose that was named.
        customers: How many customers it may see.
        period: First and last occurrence of what it may see, in epoch milliseconds.
        fingerprint: What changes whenever rows, people, choices or the blueprint do.
        tables: ``touches``, ``answers``, ``operations`` and ``customers``, by name.
        omissions: What was left out of them, and why; what may explain an empty table comes first.
    """

    def __init__(
        self,
        purpose: str,
        fingerprint: str,
        summary: Summary,
        version: Version,
        engine: Callable[[], Engine],
        open_texts: Callable[[Sequence[int], Live | None], dict[int, str]],
        omissions: tuple[Omission, ...] = (),
    ) -> None:
        self.purpose = purpose
        self.fingerprint = fingerprint
        self.customers = summary.customers
        self.period = summary.period
        self.omissions = omissions
        self.tables: Mapping[str, Table] = {
            name: Table(name, (version.path / f"{name}.parquet",), columns) for name, columns in summary.columns.items()
        }
        # Held as long as these rows may be asked for: whatever is derived meanwhile goes elsewhere.
        self._version = version
        self._engine = engine
        self._open_texts = open_texts
        self._refs: frozenset[int] | None = None

    @property
    def warnings(self) -> tuple[Words, ...]:
        """Every omission in a sentence."""
        return tuple(omission.sentence for omission in self.omissions)

    def run(self, step: Step, **parameters: Value) -> pa.Table:
        """Answer ``step`` over these tables and no others."""
        return self._engine().run(step, self.tables, **parameters)

    def read_texts(self, refs: Sequence[int], live: Live | None = None) -> dict[int, str]:
        """Return what customers wrote, by ``text_ref`` of ``answers``, masked by `parcours.know.masks.mask`.

        A ref that is not in these rows, whose customer has withdrawn since, or whose key was destroyed is absent. With
        ``live`` a withdrawal that was accepted a moment ago counts too.

        Raises:
            ParcoursError: ``state_damaged`` names a text that was altered.
        """
        if self._refs is None:
            held = pq.read_table(self.tables["answers"].paths[0], columns=["text_ref"]).column(0).drop_null()
            self._refs = frozenset(held.to_pylist())
        asked = [ref for ref in refs if ref in self._refs]
        return {ref: mask(text) for ref, text in self._open_texts(asked, live).items()}
