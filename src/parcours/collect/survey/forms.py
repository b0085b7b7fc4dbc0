"""A form that came back: its bytes read strictly, the score and the comment checked against the question."""

from __future__ import annotations

from typing import Literal, NamedTuple
from unicodedata import category
from urllib.parse import parse_qsl

from parcours.collect.survey.questions import Question
from parcours.collect.survey.rights import list_consents, needs_consent

FORM_TYPE = "application/x-www-form-urlencoded"
MOST_COMMENT = 2000
"""Characters of a comment."""

MOST_BODY_BYTES = 32 * 1024
"""A comment of `MOST_COMMENT` four-byte characters, each byte written as ``%XX``, and room to spare."""

_MOST_FIELDS = 24
_SINGLE = ("score", "comment")

Wrong = Literal["score_missing", "score_unknown", "comment_long", "consent_missing"]


class UnreadableFormError(Exception):
    """The bytes are no form of ours: not UTF-8, not urlencoded, or a field twice."""


class Given(NamedTuple):
    """What a person gave: the score as chosen (or nothing), the comment, the purposes agreed to, and what is wrong."""

    score: int | None
    comment: str
    agreed: tuple[str, ...]
    wrong: tuple[Wrong, ...] = ()


def read_form(body: bytes, question: Question) -> Given:
    """Read the body of a submitted form.

    Raises:
        UnreadableFormError: it is no form that our page could have sent.
    """
    pairs = _split(body)
    fields = dict(pairs)
    if any(sum(name == single for name, _ in pairs) > 1 for single in _SINGLE):
        raise UnreadableFormError("twice")
    ticked = {value for name, value in pairs if name == "agree"}
    consents = [purpose.id for purpose in list_consents(question.purposes)]
    score = fields.get("score", "")
    chosen = choose_score(score, question)
    comment = tidy_comment(fields.get("comment", "")) if question.experience.text else ""
    wrong: list[Wrong] = []
    if chosen is None:
        wrong.append("score_unknown" if score else "score_missing")
    if len(comment) > MOST_COMMENT:
        wrong.append("comment_long")
    agreed = tuple(purpose for purpose in consents if purpose in ticked)
    if not agreed and needs_consent(question.purposes):
        # The door would discard such an answer: better no thanks than thanks for nothing.
        wrong.append("consent_missing")
    return Given(chosen, comment, agreed, tuple(wrong))


def _split(body: bytes) -> list[tuple[str, str]]:
    if not body:
        # A browser sends nothing at all when no score is chosen and there is no comment to write.
        return []
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as fault:
        raise UnreadableFormError("form") from fault


def choose_score(text: str, question: Question) -> int | None:
    """Return the score that ``text`` spells exactly, or nothing when the question does not offer it."""
    return next((score for score in question.scores if str(score) == text), None)


def tidy_comment(text: str) -> str:
    """Return a comment with plain line ends, without control characters or blanks around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in lines if char in "\n\t" or category(char) != "Cc").strip()
