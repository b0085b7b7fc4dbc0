"""Invitations: one link for one person, or one for every row of a list of recipients."""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from urllib.parse import urlsplit

from parcours.blueprint.records import Blueprint, IdentifierType
from parcours.collect.survey.links import MOST_CHARACTERS, SALT_BYTES, STRONGEST, Link, SurveyKeys, seal_link
from parcours.collect.survey.questions import Question, ask_question
from parcours.errors import ParcoursError
from parcours.words import LANGUAGES, Language, Words

MOST_DAYS = 365
LONGEST = 255
MOST_CELL_CHARS = 100_000
LINK, LANGUAGE = "link", "language"
DELIMITERS = ";\t|,"
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000


class Invited(NamedTuple):
    """A row of recipients with its ``link``, or the reason why it has none."""

    line: int
    row: dict[str, str]
    reason: Words | None = None


class Inviter:
    """Makes links about one touchpoint.

    Args:
        blueprint: What can be asked, and which objects there are.
        touchpoint: What is asked about.
        keys: What seals links.
        public_url: The address under which customers reach the survey pages.
        days: How long a link is good, 1 to `MOST_DAYS`.
        language: The language of the page where a recipient has none.
        now_ms: The present, in epoch milliseconds.

    Raises:
        ParcoursError: what `ask_question` raises, or ``survey_address`` when the address is none.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        touchpoint: str,
        keys: SurveyKeys,
        public_url: str,
        days: int,
        language: Language,
        now_ms: int,
    ) -> None:
        self.question: Question = ask_question(blueprint, touchpoint)
        self.objects = blueprint.objects
        self.tie = self.question.experience.tie
        self._keys = keys
        self._base = check_address(public_url)
        self._language = language
        self._issued_ms = now_ms - now_ms % _MINUTE_MS
        self._expires_ms = self._issued_ms + days * _DAY_MS

    def invite(
        self, who: Mapping[IdentifierType, str], objects: Mapping[str, str], language: Language | None = None
    ) -> str:
        """Return the link that asks one person.

        About an object, the same person and object always name the same answer: a reminder is no second vote.

        Raises:
            ParcoursError: ``survey_nobody``, ``survey_unknown_object``, ``survey_unusable_value`` or
                ``survey_link_long``.
        """
        named = {kind: value for kind in STRONGEST if (value := _tidy(kind, who.get(kind, "")))}
        about = {kind: value for kind, value in ((kind, _tidy(kind, text)) for kind, text in objects.items()) if value}
        if not named:
            raise _refuse(
                "survey_nobody",
                Words("Personne n'est nommé.", "Nobody is named."),
                Words(
                    "Donnez un identifiant : user, mail, phone ou device.",
                    "Give an identifier: user, mail, phone or device.",
                ),
            )
        if unknown := [kind for kind in about if kind not in self.objects]:
            listed = ", ".join(self.objects) or "–"
            raise _refuse(
                "survey_unknown_object",
                Words(
                    f"« {unknown[0]} » n'est pas un objet du blueprint.",
                    f"“{unknown[0]}” is no object of the blueprint.",
                ),
                Words(f"Choisissez parmi : {listed}.", f"Choose one of: {listed}."),
            )
        link = Link(
            touchpoint=self.question.touchpoint,
            who=named,
            objects=about,
            language=language or self._language,
            issued_ms=self._issued_ms,
            expires_ms=self._expires_ms,
            salt=b"" if about else os.urandom(SALT_BYTES),
        )
        token = seal_link(link, self._keys)
        if len(token) > MOST_CHARACTERS:
            raise _refuse(
                "survey_link_long",
                Words("Les identifiants sont trop longs pour un lien.", "The identifiers are too long for a link."),
                Words("Donnez-en un seul, le plus court.", "Give one alone, the shortest."),
            )
        return f"{self._base}/s/{token}"

    def invite_rows(self, rows: Iterable[tuple[int, dict[str, str]]]) -> Iterator[Invited]:
        """Invite every row, in order; one that cannot be gets a reason instead, and the rest goes on."""
        for line, row in rows:
            try:
                who: dict[IdentifierType, str] = {kind: row.get(kind, "") for kind in STRONGEST}
                objects = {kind: row.get(kind, "") for kind in self.objects}
                link = self.invite(who, objects, _read_language(row.get(LANGUAGE, "")))
                yield Invited(line, {**row, LINK: link})
            except ParcoursError as fault:
                yield Invited(line, row, fault.faults[0].sentence)


class Recipients:
    """A list of recipients: a CSV file with a header, in UTF-8, separated by ``,``, ``;``, ``|`` or tabs.

    Raises:
        ParcoursError: ``survey_list_unreadable`` names what is wrong with the file, and the line.
    """

    def __init__(self, stream: TextIO, name: str, objects: tuple[str, ...]) -> None:
        self._name = name
        self._stream = stream
        header = self._guard(stream.readline)
        header = header.removeprefix("\ufeff")
        self.delimiter = max(DELIMITERS, key=lambda each: (header.count(each), DELIMITERS.index(each)))
        self.columns: list[str] = [cell.strip() for cell in next(csv.reader([header], delimiter=self.delimiter), [])]
        self._check_columns(objects)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Read the rows, each with the line that it ends on; empty lines are left out."""
        reader = csv.reader(self._stream, delimiter=self.delimiter, strict=True)
        while (cells := self._guard(lambda: next(reader, None), lambda: reader.line_num + 1)) is not None:
            line = reader.line_num + 1
            # The limit of the csv module itself belongs to the whole process, and others set it.
            if any(len(cell) > MOST_CELL_CHARS for cell in cells):
                raise self._fault(
                    Words(
                        f"Une cellule dépasse {MOST_CELL_CHARS} caractères.",
                        f"A cell is longer than {MOST_CELL_CHARS} characters.",
                    ),
                    line,
                )
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(self.columns):
                raise self._fault(
                    Words(
                        f"Cellules : {len(cells)} ; colonnes : {len(self.columns)}.",
                        f"Cells: {len(cells)}; columns: {len(self.columns)}.",
                    ),
                    line,
                )
            yield line, dict(zip(self.columns, cells, strict=True))

    def _check_columns(self, objects: tuple[str, ...]) -> None:
        known = [*STRONGEST, *objects, LANGUAGE]
        if not set(self.columns) & set(STRONGEST):
            raise self._fault(
                Words(
                    f"Aucune colonne ne nomme les destinataires : {', '.join(STRONGEST)}.",
                    f"No column names the recipients: {', '.join(STRONGEST)}.",
                ),
                1,
            )
        doubled = [column for column in self.columns if self.columns.count(column) > 1]
        if doubled and doubled[0] in known:
            raise self._fault(
                Words(f"La colonne « {doubled[0]} » y est deux fois.", f"The column “{doubled[0]}” is there twice."), 1
            )
        if LINK in self.columns or len(set(self.columns)) < len(self.columns):
            raise self._fault(
                Words(
                    f"Chaque colonne a un nom à elle, et « {LINK} » est réservé au lien.",
                    f"Each column has a name of its own, and “{LINK}” is kept for the link.",
                ),
                1,
            )

    def _guard(self, read: Callable[[], Any], line: Callable[[], int] = lambda: 1) -> Any:
        try:
            return read()
        except UnicodeDecodeError as fault:
            raise self._fault(Words("Ce n'est pas de l'UTF-8.", "It is not UTF-8."), None) from fault
        except csv.Error as fault:
            raise self._fault(Words(f"Ce n'est pas du CSV : {fault}.", f"It is not CSV: {fault}."), line()) from fault

    def _fault(self, sentence: Words, line: int | None) -> ParcoursError:
        return ParcoursError(
            "survey_list_unreadable",
            sentence,
            Words(
                "Corrigez la liste : un en-tête, puis une ligne par destinataire, en UTF-8.",
                "Mend the list: a header, then one line a recipient, in UTF-8.",
            ),
            Path(self._name),
            line,
        )


def check_address(public_url: str) -> str:
    """Return the base of every link without a slash at its end.

    Raises:
        ParcoursError: ``survey_address``.
    """
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ParcoursError(
            "survey_address",
            Words(
                f"« {public_url} » n'est pas l'adresse d'un site.", f"“{public_url}” is not the address of a website."
            ),
            Words(
                'Écrivez sous [collect] : public_url = "https://avis.exemple.fr".',
                'Write under [collect]: public_url = "https://voice.example.com".',
            ),
            Path("parcours.toml"),
        )
    return public_url.rstrip("/")


def _read_language(text: str) -> Language | None:
    """Return the language that a cell names, as ``fr``, ``FR`` or ``fr-CA``; nothing for any other."""
    name = text.strip().lower().replace("_", "-").partition("-")[0]
    return next((each for each in LANGUAGES if each == name), None)


def _tidy(kind: str, value: str) -> str:
    text = value.strip()
    if len(text) > LONGEST or any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise _refuse(
            "survey_unusable_value",
            Words(f"La valeur de « {kind} » ne peut pas en être une.", f"The value of “{kind}” cannot be one."),
            Words(
                f"Donnez {LONGEST} caractères au plus, sans caractère de contrôle.",
                f"Give {LONGEST} characters at most, without control characters.",
            ),
        )
    return text


def _refuse(code: str, sentence: Words, remedy: Words) -> ParcoursError:
    return ParcoursError(code, sentence, remedy)
