"""The register of erasures: what each was asked for, how far it is, and its receipt once it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.rights.sealing import Seal
from parcours.words import Words

Step = Literal["marked", "parted", "told", "forgotten", "cleared", "done"]
STEPS: tuple[Step, ...] = get_args(Step)
"""How far an erasure is: nothing returns the person; parts are without them; copies on their way are gone and
recipients told; keys, identifiers, edges and choices are gone; registers are without them; all of it is proved."""

_COLUMNS = ("erasure_no", "step", "asked_ms", "done_ms", "actor", "request_no", "body", "receipt")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS erasures (
    erasure_no INTEGER PRIMARY KEY, step TEXT NOT NULL, asked_ms INTEGER NOT NULL, done_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, request_no INTEGER NOT NULL, body BLOB NOT NULL, receipt BLOB NOT NULL, checksum BLOB);
"""


class Body(msgspec.Struct, kw_only=True):
    """What an erasure must remember until it is done, and counts.

    Attributes:
        pseudonyms: Whom it erases.
        kinds: How many identifiers of each type those are.
        shared: How many shared devices stood beside them; they stay.
        event_no: The profile is what the events before this number say.
        parted_ms: Since when no part holds them: what was derived after that has not counted them.
        row_keys: By source, the keys of the rows that were taken out of parts, by which registers know them: two
            sources may number their rows alike.
        others: The other numbers by which they are known: ids of profiles, and visitors of the audience space.
        recipients: The destinations that got events of the person.
        gone: How much was taken away, by what it was.
    """

    pseudonyms: list[int]
    kinds: dict[str, int]
    shared: int
    event_no: int
    parted_ms: int = 0
    row_keys: dict[str, list[int]] = {}
    others: list[int] = []
    recipients: list[str] = []
    gone: dict[str, int] = {}


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure; ``body`` is nothing once it is done, ``receipt`` (signed JSON) nothing before."""

    erasure_no: int
    step: Step
    asked_ms: int
    done_ms: int
    actor: str
    request_no: int
    body: Body | None
    receipt: bytes

    @property
    def is_done(self) -> bool:
        """Whether it was carried out and proved."""
        return self.step == "done"


class Erasures:
    """The erasures of one company in ``state.db``; what is done holds no pseudonym any more."""

    def __init__(self, state: Database, keys: Keys) -> None:
        state.execute(_SCHEMA)
        self._state, self._seal = state, Seal(keys, "erasures")
        self.table = CheckedTable(state, "erasures", _COLUMNS, ("erasure_no",), keys.checks)

    def begin(self, body: Body, actor: str, request_no: int = 0) -> int:
        """Enter an erasure, in the transaction that sets its tombstones; return its number."""
        with self._state.transaction():
            last = self._state.execute("SELECT coalesce(max(erasure_no), 0) FROM erasures")[0][0]
            number = 1 + int(last or 0)
            now_ms = time.time_ns() // 1_000_000
            self._put(Erasure(erasure_no=number, step="marked", asked_ms=now_ms, done_ms=0, actor=actor,
                              request_no=request_no, body=body, receipt=b""))  # fmt: skip
        return number

    def advance(self, number: int, step: Step, body: Body) -> None:
        """Note that ``step`` is behind it, with what is known by then."""
        self._put(msgspec.structs.replace(self.find(number), step=step, body=body))

    def finish(self, number: int, receipt: bytes, done_ms: int) -> None:
        """Note that it is proved, and forget whom it erased."""
        held = self.find(number)
        self._put(msgspec.structs.replace(held, step="done", done_ms=done_ms, body=None, receipt=receipt))

    def all(self) -> tuple[Erasure, ...]:
        """Return every erasure, by number.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        return tuple(self._read(row) for row in self.table.all("erasure_no"))

    def unfinished(self) -> tuple[Erasure, ...]:
        """Return the erasures that are not done."""
        return tuple(one for one in self.all() if not one.is_done)

    def has_just_begun(self) -> bool:
        """Return whether somebody is erased whose events still stand in parts."""
        return bool(self._state.execute("SELECT 1 FROM erasures WHERE step = 'marked' LIMIT 1"))

    def is_under_way(self) -> bool:
        """Return whether an erasure is not done: what was derived before is then not to be believed."""
        return bool(self._state.execute("SELECT 1 FROM erasures WHERE step != 'done' LIMIT 1"))

    def find(self, number: int) -> Erasure:
        """Return one erasure.

        Raises:
            ParcoursError: ``unknown_erasure``.
        """
        rows = self.table.some("WHERE erasure_no = ?", (number,))
        if not rows:
            raise ParcoursError(
                "unknown_erasure",
                Words(fr=f"Il n'y a pas d'effacement n° {number}.", en=f"There is no erasure no. {number}."),
                Words(fr="Son numéro est sur le reçu.", en="Its number is on the receipt."),
            )
        return self._read(rows[0])

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one when some are missing."""
        yield from self.table.verify()

    def _put(self, one: Erasure) -> None:
        # Pseudonyms stand in nothing that is kept; until it is done they are sealed.
        body = self._seal.close(msgspec.msgpack.encode(one.body)) if one.body else b""
        cells = (one.erasure_no, one.step, one.asked_ms, one.done_ms, one.actor, one.request_no)
        self.table.put([(*cells, body, one.receipt)])

    def _read(self, row: tuple[object, ...]) -> Erasure:
        told = dict(zip(_COLUMNS, row, strict=True))
        sealed = told["body"]
        body = None
        if isinstance(sealed, bytes) and sealed:
            body = msgspec.msgpack.decode(self._seal.open(sealed), type=Body)
        return msgspec.convert({**told, "body": body}, Erasure)


def not_finished(number: int) -> ParcoursError:
    """Return the error for what needs an erasure to be done that has only begun."""
    return ParcoursError(
        "erasure_unfinished",
        Words(
            fr=f"L'effacement n° {number} a commencé et n'est pas fini : plus rien ne montre cette personne, et il n'y "
            "a pas encore de reçu.",
            en=f"Erasure no. {number} has begun and is not finished: nothing shows this person any more, and there is "
            "no receipt yet.",
        ),
        Words(fr="Finissez-le : parcours forget DIR resume.", en="Finish it: parcours forget DIR resume."),
    )
