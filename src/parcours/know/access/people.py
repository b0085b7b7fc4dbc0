"""The people who may sign in: their login, role and scope, and the hash of a password where they have one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec

from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.access.passwords import check_password, hash_password, is_outdated, is_password
from parcours.know.access.roles import ROLES, Role
from parcours.know.access.store import table_of
from parcours.words import Words

ADMINISTRATOR: Role = "it"
"""The role that manages people and keys; there is always somebody who has it."""

_LOGIN = re.compile(r"[\w.@+-]{1,128}")
_TABLE_COLUMNS = ("person_id", "login", "role", "scope", "password", "subject", "version", "made_ms", "signed_in_ms")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in.

    Attributes:
        person_id: A number that is never given twice; 0 stands for whoever opened the pages from this very machine.
        login: What they sign in with, in small letters; an e-mail address where a provider signs them in.
        role: What they are here.
        scope: What is their own, as in `Caller`.
        has_password: Whether they can sign in with a password.
        subject: Who they are for the provider that signed them in, empty before it did.
        version: Grows with every change, so that two changes at once are noticed.
        made_ms: Since when.
        signed_in_ms: When they last signed in.
    """

    person_id: int
    login: str
    role: Role
    scope: tuple[str, ...] = ()
    has_password: bool = False
    subject: str = ""
    version: int = 0
    made_ms: int = 0
    signed_in_ms: int | None = None


LOCAL = Person(person_id=0, login="local", role="cco")
"""Whoever opened the pages with the address that `serve` printed: they can read the folder anyway."""


class Staff:
    """The people over an open ``access.db``; each change is one transaction, whoever else changes something."""

    def __init__(self, access: Database) -> None:
        self._db = access
        self._table = table_of(access, "people")

    def all(self) -> list[Person]:
        """Return everybody, by login.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        return sorted((_person(row) for row in self._table.all()), key=lambda one: one.login)

    def get(self, person_id: int) -> Person | None:
        """Return the person with this number."""
        if person_id == LOCAL.person_id:
            return LOCAL
        rows = self._table.some("WHERE person_id = ?", (person_id,))
        return _person(rows[0]) if rows else None

    def named(self, login: str) -> Person:
        """Return the person with this login.

        Raises:
            ParcoursError: ``unknown_person``.
        """
        rows = self._table.some("WHERE login = ?", (plain_login(login),))
        if not rows:
            raise _unknown(login)
        return _person(rows[0])

    def add(
        self, login: str, role: str, scope: Sequence[str] = (), password: str | None = None, now_ms: int = 0
    ) -> Person:
        """Let somebody sign in; without a password a provider has to say who they are.

        Raises:
            ParcoursError: ``bad_login``, ``login_taken``, ``unknown_role``, and what `check_password` raises.
        """
        plain = _check_login(login)
        chosen = _check_role(role)
        kept = _make_password(password, plain) if password is not None else ""
        with self._db.transaction():
            if self._table.some("WHERE login = ?", (plain,)):
                raise _taken(plain)
            told = self._db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'people'")
            person_id = int(told[0][0] or 0) + 1
            self._table.put([(person_id, plain, chosen, _write_scope(scope), kept, "", 1, now_ms, None)])
        return self.named(plain)

    def change(self, person_id: int, role: str, scope: Sequence[str] = (), version: int | None = None) -> Person:
        """Give somebody another role or scope; ``version`` is that of the person whom the change was decided on.

        Raises:
            ParcoursError: ``unknown_person``, ``unknown_role``, ``changed_meanwhile``, ``last_administrator``.
        """
        chosen = _check_role(role)
        with self._db.transaction():
            self._check(person_id, version, leaves=chosen != ADMINISTRATOR)
            self._write(person_id, role=chosen, scope=_write_scope(scope))
        return self._found(person_id)

    def remove(self, person_id: int, version: int | None = None) -> None:
        """Let somebody sign in no longer; what they did stays in the audit log under their number.

        Raises:
            ParcoursError: ``unknown_person``, ``changed_meanwhile``, ``last_administrator``.
        """
        with self._db.transaction():
            self._check(person_id, version, leaves=True)
            self._table.drop("person_id = ?", (person_id,))

    def set_password(self, person_id: int, password: str) -> None:
        """Give somebody a password.

        Raises:
            ParcoursError: ``unknown_person``, and what `check_password` raises.
        """
        kept = _make_password(password, self._found(person_id).login)
        with self._db.transaction():
            self._found(person_id)
            self._write(person_id, password=kept)

    def check_password(self, login: str, password: str) -> Person | None:
        """Return who has this login and password; it takes as long when nobody has."""
        rows = self._table.some("WHERE login = ?", (plain_login(login),))
        kept = str(rows[0][4]) if rows else ""
        if not is_password(kept, password):
            return None
        person = _person(rows[0])
        if is_outdated(kept):
            with self._db.transaction():
                self._write(person.person_id, password=hash_password(password))
        return person

    def recognise(self, subject: str, mail: str) -> Person | None:
        """Return whom a provider knows as ``subject``: who was bound to it, else who has this verified address.

        The first time binds them, so that an address that changes hands at the provider opens nothing here.
        """
        with self._db.transaction():
            rows = self._table.some("WHERE subject = ?", (subject,))
            if rows:
                return _person(rows[0])
            rows = self._table.some("WHERE login = ? AND subject = ''", (plain_login(mail),)) if mail else []
            if not rows:
                return None
            self._write(int(rows[0][0] or 0), subject=subject)
        return self._found(int(rows[0][0] or 0))

    def note_sign_in(self, person_id: int, now_ms: int) -> None:
        """Note when somebody last signed in."""
        if person_id != LOCAL.person_id:
            with self._db.transaction():
                self._write(person_id, grow=0, signed_in_ms=now_ms)

    def _check(self, person_id: int, version: int | None, leaves: bool) -> None:
        person = self._found(person_id)
        if version is not None and person.version != version:
            raise _changed_meanwhile(person.login)
        others = [one for one in self.all() if one.role == ADMINISTRATOR and one.person_id != person_id]
        if leaves and person.role == ADMINISTRATOR and not others:
            raise _last_administrator(person.login)

    def _found(self, person_id: int) -> Person:
        person = self.get(person_id)
        if person is None or person is LOCAL:
            raise _unknown(str(person_id))
        return person

    def _write(self, person_id: int, grow: int = 1, **cells: str | int) -> None:
        rows = self._table.some("WHERE person_id = ?", (person_id,))
        if rows:
            held = dict(zip(_TABLE_COLUMNS, rows[0], strict=True))
            held |= {"version": int(held["version"] or 0) + grow, **cells}
            self._table.put([tuple(held.values())])


def _person(row: Sequence[object]) -> Person:
    held = dict(zip(_TABLE_COLUMNS, row, strict=True))
    scope = msgspec.json.decode(str(held.pop("scope")), type=tuple[str, ...])
    has_password = bool(held.pop("password"))
    return msgspec.convert({**held, "scope": scope, "has_password": has_password}, Person)


def plain_login(login: str) -> str:
    """Return the one way in which a login is kept and counted, however it was written."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def _write_scope(scope: Sequence[str]) -> str:
    return msgspec.json.encode(sorted(set(scope))).decode()


def _make_password(password: str, login: str) -> str:
    check_password(password, login)
    return hash_password(password)


def _check_login(login: str) -> str:
    plain = plain_login(login)
    if not _LOGIN.fullmatch(plain) or plain == LOCAL.login:
        raise ParcoursError(
            "bad_login",
            Words(fr=f"« {login} » ne peut pas servir d'identifiant.", en=f"“{login}” cannot be a login."),
            Words(
                fr="Prenez une adresse e-mail, ou un nom de lettres, chiffres, points et tirets.",
                en="Take an e-mail address, or a name of letters, digits, dots and dashes.",
            ),
        )
    return plain


def _check_role(role: str) -> Role:
    for known in ROLES:
        if known == role:
            return known
    raise ParcoursError(
        "unknown_role",
        Words(fr=f"Le rôle « {role} » n'existe pas.", en=f"There is no role “{role}”."),
        Words(fr=f"Choisissez parmi : {', '.join(ROLES)}.", en=f"Choose one of: {', '.join(ROLES)}."),
    )


def _unknown(login: str) -> ParcoursError:
    return ParcoursError(
        "unknown_person",
        Words(fr=f"Personne ne s'appelle « {login} » ici.", en=f"Nobody is called “{login}” here."),
        Words(fr="Qui peut se connecter : parcours people DIR list", en="Who may sign in: parcours people DIR list"),
    )


def _taken(login: str) -> ParcoursError:
    return ParcoursError(
        "login_taken",
        Words(fr=f"« {login} » existe déjà.", en=f"“{login}” exists already."),
        Words(
            fr="Changez son rôle avec parcours people DIR role, ou prenez un autre identifiant.",
            en="Change their role with parcours people DIR role, or take another login.",
        ),
    )


def _changed_meanwhile(login: str) -> ParcoursError:
    return ParcoursError(
        "changed_meanwhile",
        Words(
            fr=f"Quelqu'un d'autre a changé « {login} » entre-temps : rien n'a été fait.",
            en=f"Somebody else has changed “{login}” meanwhile: nothing was done.",
        ),
        Words(fr="Regardez de nouveau, puis décidez.", en="Look again, then decide."),
    )


def _last_administrator(login: str) -> ParcoursError:
    return ParcoursError(
        "last_administrator",
        Words(
            fr=f"« {login} » est la dernière personne qui gère les accès : rien n'a été fait.",
            en=f"“{login}” is the last person who manages access: nothing was done.",
        ),
        Words(
            fr="Donnez d'abord le rôle it à quelqu'un d'autre.",
            en="Give the role it to somebody else first.",
        ),
    )
