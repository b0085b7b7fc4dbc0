"""The register of requests: who asked for what and when, how it was checked that it is they, and by when it is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, get_args

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import Fault, ParcoursError
from parcours.know.keys import Keys
from parcours.know.rights.deadlines import MONTHS, MORE_MONTHS, SOON_DAYS, find_deadline
from parcours.know.rights.sealing import Seal
from parcours.words import Words

Kind = Literal["erasure", "access", "portability", "rectification", "objection", "restriction"]
KINDS: tuple[Kind, ...] = get_args(Kind)
State = Literal["received", "checked", "started", "done", "refused", "cancelled"]
OPEN: tuple[State, ...] = ("received", "checked", "started")
DAY_MS = 86_400_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, subject BLOB NOT NULL,
    received_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, extended INTEGER NOT NULL, identity TEXT NOT NULL,
    channel TEXT NOT NULL, closed_ms INTEGER NOT NULL, erasure_no INTEGER NOT NULL, outside TEXT NOT NULL,
    callbacks TEXT NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS request_acts (
    number INTEGER NOT NULL, place INTEGER NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL,
    note TEXT NOT NULL, checksum BLOB, PRIMARY KEY (number, place));
"""


class Act(msgspec.Struct, frozen=True):
    """One step of a request: when, who (`cli`, `opendsr`, or a person's number), what, and what they noted."""

    at_ms: int
    actor: str
    act: str
    note: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        number: Given once.
        kind: What is asked for.
        state: ``received``, ``checked`` (it is they who ask), ``started``, ``done``, ``refused`` or ``cancelled``.
        received_ms, due_ms: When it came, and the last moment to answer it, in epoch milliseconds.
        extended: Whether the person was told that it takes two months more.
        identity: How it was checked that it is they; empty before.
        channel: Where it came in: ``cli``, ``page``, ``opendsr`` …
        closed_ms: When it was answered or refused, 0 before.
        erasure_no: The erasure that answers it, 0 for none.
        outside: What whoever sent it calls it.
        callbacks: Addresses that want to hear of its state.
        acts: Every step.
    """

    number: int
    kind: Kind
    state: State
    received_ms: int
    due_ms: int
    extended: bool
    identity: str
    channel: str
    closed_ms: int
    erasure_no: int
    outside: str
    callbacks: tuple[str, ...]
    acts: tuple[Act, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state in OPEN

    def days_left(self, now_ms: int) -> int:
        """Return how many whole days are left, below 0 when it is too late."""
        return (self.due_ms - now_ms) // DAY_MS


_REQUEST = ("number", "kind", "state", "subject", *Request.__struct_fields__[3:-1])
_ACT = ("number", "place", *Act.__struct_fields__)


class Requests:
    """The register of one company in ``state.db``; identifiers in it are sealed, and gone once an erasure is done."""

    def __init__(self, state: Database, keys: Keys, zone: str) -> None:
        state.execute(_SCHEMA)
        self._state, self._seal, self._zone = state, Seal(keys, "requests"), zone
        self.table = CheckedTable(state, "requests", _REQUEST, ("number",), keys.checks)
        self.acts = CheckedTable(state, "request_acts", _ACT, ("number", "place"), keys.checks)

    def open(
        self,
        kind: Kind,
        identifiers: Sequence[str],
        actor: str,
        channel: str = "cli",
        received_ms: int | None = None,
        outside: str = "",
        callbacks: Sequence[str] = (),
    ) -> int:
        """Enter a request about whoever has ``identifiers``; return its number."""
        now_ms = _now_ms()
        received_ms = now_ms if received_ms is None else received_ms
        with self._state.transaction():
            number = 1 + int(self._state.execute("SELECT coalesce(max(number), 0) FROM requests")[0][0] or 0)
            request = Request(
                number=number,
                kind=kind,
                state="received",
                received_ms=received_ms,
                due_ms=find_deadline(received_ms, MONTHS, self._zone),
                extended=False,
                identity="",
                channel=channel,
                closed_ms=0,
                erasure_no=0,
                outside=outside,
                callbacks=tuple(callbacks),
            )
            self._put(request, self._seal.close(msgspec.json.encode(list(identifiers))))
            self._note(number, actor, "received")
        return number

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is asked and changed inside is of one moment."""
        with self._state.transaction():
            yield

    def list_requests(self) -> tuple[Request, ...]:
        """Return every request, the one that is due first before the others, those that are closed last.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        acts: dict[int, list[Act]] = {}
        for number, _, *cells in self.acts.all("number, place"):
            acts.setdefault(int(number or 0), []).append(Act(*cells))  # type: ignore[arg-type]
        found = [self._read(row, acts) for row in self.table.all("number")]
        return tuple(sorted(found, key=lambda one: (not one.is_open, one.due_ms if one.is_open else -one.closed_ms)))

    def find(self, number: int) -> Request:
        """Return one request.

        Raises:
            ParcoursError: ``unknown_request``.
        """
        for request in self.list_requests():
            if request.number == number:
                return request
        raise ParcoursError(
            "unknown_request",
            Words(fr=f"Il n'y a pas de demande n° {number}.", en=f"There is no request no. {number}."),
            Words(fr="Le registre les montre toutes.", en="The register shows them all."),
        )

    def identifiers_of(self, number: int) -> tuple[str, ...]:
        """Return the identifiers that were written on a request; none once an erasure was carried out."""
        rows = self.table.some("WHERE number = ?", (number,))
        sealed = rows[0][3] if rows else b""
        return tuple(msgspec.json.decode(self._seal.open(sealed))) if isinstance(sealed, bytes) and sealed else ()

    def reseal(self, turn: Callable[[bytes], bytes]) -> int:
        """Replace every sealed list of identifiers by what ``turn`` makes of it; return how many changed."""
        count = 0
        with self._state.transaction():
            for row in self.table.all("number"):
                made = turn(row[3]) if isinstance(row[3], bytes) and row[3] else row[3]
                if made != row[3]:
                    self.table.put([(*row[:3], made, *row[4:])])
                    count += 1
        return count

    def check_identity(self, number: int, how: str, actor: str) -> None:
        """Note how it was checked that the person asks themselves, or somebody in their name."""
        self._change(number, actor, "checked", how, state="checked", identity=how)

    def extend(self, number: int, reason: str, actor: str) -> None:
        """Note that the person was told, within the first month, that it takes two more and why.

        Raises:
            ParcoursError: ``too_late_to_extend`` after the first month, or when it was extended before.
        """
        request = self.find(number)
        if request.extended or _now_ms() > request.due_ms:
            raise ParcoursError(
                "too_late_to_extend",
                Words(
                    fr=f"La demande n° {number} ne peut plus être prolongée : le délai d'un mois est passé, ou elle "
                    "l'a déjà été (RGPD, art. 12(3)).",
                    en=f"Request no. {number} can no longer be extended: its month is over, or it was extended before "
                    "(GDPR art. 12(3)).",
                ),
                Words(fr="Répondez-y sans attendre.", en="Answer it without delay."),
            )
        due_ms = find_deadline(request.received_ms, MONTHS + MORE_MONTHS, self._zone)
        self._change(number, actor, "extended", reason, due_ms=due_ms, extended=True)

    def start(self, number: int, actor: str, erasure_no: int = 0) -> None:
        """Note that it is being answered."""
        self._change(number, actor, "started", "", state="started", erasure_no=erasure_no)

    def close(self, number: int, state: State, actor: str, note: str = "") -> None:
        """Note that it was answered (``done``), ``refused`` with the reason, or ``cancelled`` by whoever asked."""
        self._change(number, actor, state, note, state=state, closed_ms=_now_ms())

    def add_act(self, number: int, actor: str, act: str, note: str) -> None:
        """Note what was done about a request, though it is closed."""
        with self._state.transaction():
            self._note(number, actor, act, note)

    def expect(self, number: int, kind: Kind) -> Request:
        """Return a request that is open and of this kind.

        Raises:
            ParcoursError: ``unknown_request``, ``request_closed`` or ``another_request``.
        """
        request = self.find(number)
        if not request.is_open:
            raise _closed(request)
        if request.kind != kind:
            raise ParcoursError(
                "another_request",
                Words(
                    fr=f"La demande n° {number} est une demande de {NAMES[request.kind].fr}.",
                    en=f"Request no. {number} asks for {NAMES[request.kind].en}.",
                ),
                Words(fr="Donnez le numéro de la bonne demande.", en="Give the number of the right request."),
            )
        return request

    def expect_checked(self, number: int, kind: Kind) -> Request:
        """Return a request as `expect` does, of which it was checked who asks: raises ``identity_unchecked`` too."""
        request = self.expect(number, kind)
        if request.state == "received":
            raise _unchecked(number)
        return request

    def forget_subjects(self, numbers: Sequence[int]) -> None:
        """Drop the identifiers that were written on requests."""
        with self._state.transaction():
            for row in self.table.all():
                if row[0] in numbers:
                    self.table.put([(*row[:3], b"", *row[4:])])

    def alarms(self, now_ms: int | None = None) -> tuple[Fault, ...]:
        """Return what `warnings` tells as warnings with their remedies, for whoever watches over `serve`."""
        return tuple(
            Fault(
                "requests_due",
                sentence,
                Words(
                    fr="parcours requests DIR les liste ; répondez, ou prolongez de deux mois dans le premier.",
                    en="parcours requests DIR lists them; answer, or extend by two months within the first.",
                ),
                level="warning",
            )
            for sentence in self.warnings(now_ms)
        )

    def warnings(self, now_ms: int | None = None) -> tuple[Words, ...]:
        """Return a sentence for each open request that is late or due within `SOON_DAYS`."""
        now_ms = _now_ms() if now_ms is None else now_ms
        return tuple(
            _tell_due(request, request.days_left(now_ms))
            for request in self.list_requests()
            if request.is_open and request.days_left(now_ms) < SOON_DAYS
        )

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one when some are missing."""
        yield from self.table.verify()
        yield from self.acts.verify()

    def _change(self, number: int, actor: str, act: str, note: str, **changes: object) -> None:
        with self._state.transaction():
            request = self.find(number)
            if not request.is_open:
                raise _closed(request)
            subject = self.table.some("WHERE number = ?", (number,))[0][3]
            self._put(msgspec.structs.replace(request, **changes), subject if isinstance(subject, bytes) else b"")
            self._note(number, actor, act, note)

    def _put(self, request: Request, subject: bytes) -> None:
        cells = [getattr(request, name) for name in Request.__struct_fields__[3:-2]]
        callbacks = msgspec.json.encode(request.callbacks).decode()
        self.table.put([(request.number, request.kind, request.state, subject, *cells, callbacks)])

    def _note(self, number: int, actor: str, act: str, note: str = "") -> None:
        place = len(self.acts.some("WHERE number = ?", (number,)))
        self.acts.put([(number, place, _now_ms(), actor, act, note)])

    def _read(self, row: tuple[object, ...], acts: dict[int, list[Act]]) -> Request:
        told = dict(zip(_REQUEST, row, strict=True))
        del told["subject"]
        told["callbacks"] = msgspec.json.decode(str(told["callbacks"]))
        told["extended"] = bool(told["extended"])
        told["acts"] = tuple(acts.get(int(str(told["number"])), ()))
        return msgspec.convert(told, Request)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unchecked(number: int) -> ParcoursError:
    return ParcoursError(
        "identity_unchecked",
        Words(
            fr=f"On n'a pas vérifié qui fait la demande n° {number} : elle pourrait venir de quelqu'un d'autre.",
            en=f"Nobody has checked who makes request no. {number}: it may come from somebody else.",
        ),
        Words(
            fr=f'Vérifiez-le, puis notez comment : parcours requests DIR check {number} --reason "…".',
            en=f'Check it, then note how: parcours requests DIR check {number} --reason "…".',
        ),
    )


def _closed(request: Request) -> ParcoursError:
    return ParcoursError(
        "request_closed",
        Words(
            fr=f"La demande n° {request.number} est close.",
            en=f"Request no. {request.number} is closed.",
        ),
        Words(fr="Ouvrez-en une autre s'il le faut.", en="Open another one if need be."),
    )


def _tell_due(request: Request, days: int) -> Words:
    number, name = request.number, NAMES[request.kind]
    french = f"{abs(days)} {'jours' if abs(days) >= 2 else 'jour'}"
    english = f"{abs(days)} {'day' if abs(days) == 1 else 'days'}"
    if days < 0:
        return Words(
            fr=f"La réponse à la demande n° {number} ({name.fr}) est en retard de {french} (RGPD, art. 12(3)).",
            en=f"The answer to request no. {number} ({name.en}) is {english} overdue (GDPR art. 12(3)).",
        )
    return Words(
        fr=f"La demande n° {number} ({name.fr}) doit recevoir une réponse dans {french}.",
        en=f"Request no. {number} ({name.en}) is to be answered within {english}.",
    )


NAMES: dict[Kind, Words] = {
    "erasure": Words(fr="effacement", en="erasure"),
    "access": Words(fr="accès", en="access"),
    "portability": Words(fr="portabilité", en="portability"),
    "rectification": Words(fr="rectification", en="rectification"),
    "objection": Words(fr="opposition", en="objection"),
    "restriction": Words(fr="limitation", en="restriction"),
}
