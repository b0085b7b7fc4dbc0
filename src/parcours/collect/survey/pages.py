"""The survey pages as records, and the HTML that they become: no script, no cookie, nothing from elsewhere."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import jinja2
import msgspec
from markupsafe import Markup

from parcours.blueprint.records import Company
from parcours.charts.numbers import write_number
from parcours.collect.survey.forms import MOST_COMMENT, Given, Wrong
from parcours.collect.survey.phrases import Say
from parcours.collect.survey.questions import Question, name_company
from parcours.collect.survey.rights import list_consents, needs_consent, tell_rights
from parcours.words import LANGUAGES, Language

FEW, MANY = 7, 11
"""How many scores stand in one row on the narrowest screen, and on a wide one."""

_NAMES = {"fr": "Français", "en": "English"}
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='7' fill='%234a2f83'/%3E%3C/svg%3E"
)


class Tongue(NamedTuple):
    """A language to switch to: its code, its own name, and where it leads."""

    code: Language
    name: str
    href: str


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds every survey page."""

    language: Language
    title: str
    company: str
    synthetic: bool
    languages: tuple[Tongue, ...]
    styles: Markup
    icon: str


class Choice(NamedTuple):
    """One score to choose; ``meaning`` is spoken with the two ends."""

    score: int
    meaning: str
    chosen: bool


class Box(NamedTuple):
    """A consent to give: the purpose, its sentence, and whether it was ticked."""

    purpose: str
    says: str
    ticked: bool


class Fault(NamedTuple):
    """What is still wrong, and the field that mends it."""

    says: str
    target: str


class QuestionPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page that asks."""

    frame: Frame
    action: str
    about: str
    asks: str
    lowest: str
    highest: str
    spread: str
    choices: tuple[Choice, ...]
    preselected: str
    writes: bool
    comment: str
    comment_hint: str
    most_comment: int
    boxes: tuple[Box, ...]
    boxes_hint: str
    faults: tuple[Fault, ...]
    score_fault: str
    comment_fault: str
    consent_fault: str
    rights: tuple[str, ...]


class NoticePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page that says one thing: thanks, or why there is no question."""

    frame: Frame
    heading: str
    says: str
    good: bool
    rights: tuple[str, ...] = ()


def write_question(
    company: Company, question: Question, language: Language, token: str, given: Given, problem: str = ""
) -> str:
    """Return the page that asks ``question``, filled with what was ``given``; ``problem`` names why it comes back."""
    say = Say(language)
    consents = list_consents(question.purposes)
    faults = _list_faults(question, given, problem, say)
    label = name_company(company, language)
    about, asks = question.about.in_language(language), question.asks.in_language(language)
    # A score that came by the address was chosen by a click in a message, not on this page: it is said, not assumed.
    by_link = given.score is not None and not faults
    page = QuestionPage(
        frame=_frame(company, language, f"{about} – {asks}", token, given.score, bool(faults)),
        action=f"{token}?lang={language}",
        about=about,
        asks=asks,
        lowest=say("anchor", score=question.scores[0], meaning=question.lowest.in_language(language)),
        highest=say("anchor", score=question.scores[-1], meaning=question.highest.in_language(language)),
        spread=_spread(len(question.scores)),
        choices=_list_choices(question, given, language),
        preselected=say("chosen", score=given.score) if by_link else "",
        writes=question.experience.text is not None,
        comment=given.comment,
        comment_hint=say("comment_hint", most=write_number(MOST_COMMENT, language)),
        most_comment=MOST_COMMENT,
        boxes=tuple(
            Box(
                purpose.id,
                say("agree", purpose=purpose.label.in_language(language)),
                purpose.id in given.agreed,
            )
            for purpose in consents
        ),
        boxes_hint=say("consent_alone" if needs_consent(question.purposes) else "consent_hint"),
        faults=faults,
        score_fault=next((fault.says for fault in faults if fault.target.startswith("score")), ""),
        comment_fault=next((fault.says for fault in faults if fault.target == "comment"), ""),
        consent_fault=next((fault.says for fault in faults if fault.target.startswith("agree")), ""),
        rights=tell_rights(question.purposes, label, language),
    )
    return _render("question.html", page, language)


def write_notice(
    company: Company, language: Language, key: str, token: str = "", question: Question | None = None
) -> str:
    """Return the page that says ``key`` (a phrase that has its ``…_says`` beside it)."""
    say = Say(language)
    label = name_company(company, language)
    good = key == "thanks"
    page = NoticePage(
        frame=_frame(company, language, say(key), token),
        heading=say(key),
        says=say(f"{key}_says", company=label),
        good=good,
        rights=tell_rights(question.purposes, label, language) if question and good else (),
    )
    return _render("notice.html", page, language)


def _frame(
    company: Company, language: Language, title: str, token: str, score: int | None = None, faulty: bool = False
) -> Frame:
    say = Say(language)
    kept = "" if score is None else f"&score={score}"
    return Frame(
        language=language,
        title=f"{say('error')}{say('colon')} {title}" if faulty else title,
        company=company.label.in_language(language),
        synthetic=company.synthetic,
        languages=tuple(Tongue(each, _NAMES[each], f"{token}?lang={each}{kept}") for each in LANGUAGES),
        styles=Markup(read_styles()),  # noqa: S704 - our own sheets
        icon=_ICON,
    )


def _spread(count: int) -> str:
    """Return the classes that set ``count`` scores in rows of one length, on wide and on narrow screens."""
    wide = count if count <= MANY else -(-count // 2)
    narrow = next(-(-count // rows) for rows in (1, 2, 3) if -(-count // rows) <= FEW)
    return f"wide-{wide} narrow-{narrow}"


def _list_choices(question: Question, given: Given, language: Language) -> tuple[Choice, ...]:
    meanings = {question.scores[0]: question.lowest, question.scores[-1]: question.highest}
    return tuple(
        Choice(score, meanings[score].in_language(language) if score in meanings else "", score == given.score)
        for score in question.scores
    )


def _list_faults(question: Question, given: Given, problem: str, say: Say) -> tuple[Fault, ...]:
    low, high = question.scores[0], question.scores[-1]
    consents = list_consents(question.purposes)
    targets: dict[Wrong, str] = {
        "score_missing": f"score-{low}",
        "score_unknown": f"score-{low}",
        "comment_long": "comment",
        "consent_missing": f"agree-{consents[0].id}" if consents else "send",
    }
    faults = [
        Fault(
            say(
                wrong,
                low=low,
                high=high,
                count=write_number(len(given.comment), say.language),
                most=write_number(MOST_COMMENT, say.language),
            ),
            targets[wrong],
        )
        for wrong in given.wrong
    ]
    if problem:
        faults.append(Fault(say(problem), "send"))
    return tuple(faults)


@cache
def read_styles() -> str:
    """Return the styles of the survey pages: the tokens of the house, then the parts of these pages."""
    tokens = (files("parcours.charts") / "tokens.css").read_text("utf-8")
    return tokens + (files("parcours.collect.survey") / "survey.css").read_text("utf-8")


@cache
def content_policy() -> str:
    """Return the Content-Security-Policy: this one style sheet by its hash, forms to this server, and nothing else."""
    digest = base64.b64encode(sha256(read_styles().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def _environment(language: Language) -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("parcours.collect.survey"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["say"] = Say(language)
    return found


def _render(template: str, page: QuestionPage | NoticePage, language: Language) -> str:
    fields = {name: getattr(page, name) for name in page.__struct_fields__}
    return _environment(language).get_template(template).render(fields)
