"""The suite: which rules there are, in which order they run, and what a run reports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final, Literal

import msgspec

from parcours.collect.conform import (
    answers,
    auth,
    bodies,
    cors,
    events,
    malformed,
    pixel,
    readback,
    routes,
    settings,
    sizes,
    wire,
)
from parcours.collect.conform.describe import describe
from parcours.collect.conform.reach import reach
from parcours.collect.conform.reader import Reader, open_reader, settle
from parcours.collect.conform.report import SECTIONS, Report, make_line, make_report
from parcours.collect.conform.rule import Later, Outcome, Rule, skipped
from parcours.collect.conform.run import Run
from parcours.collect.conform.target import read_target
from parcours.errors import ParcoursError
from parcours.progress import Progress
from parcours.words import Words

ALL: Final[tuple[Rule, ...]] = tuple(
    rule
    for module in (routes, settings, pixel, auth, bodies, events, sizes, answers, cors, malformed, wire, readback)
    for rule in module.RULES
) + tuple(answers.LAST)

PATIENCE: Final = 3
"""After so many rules in a row that nothing answered, the server is asked whether it is still there."""
NO_READ_BACK: Final = Words("il faut --read-back", "needs --read-back")
GONE: Final = Words("le serveur ne répond plus depuis {rule}", "the server has not answered since {rule}")
Done = tuple[Rule, Outcome | Later, tuple[str, ...]]
"""A rule, how it went, and what was exchanged for it."""
Settled = tuple[Rule, Outcome, tuple[str, ...]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the door asks for; seconds where the name says so."""

    url: str
    write_key: str | None = None
    profile: Literal["segment", "rudderstack", "jitsu", "all"] = "segment"
    only: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    timeout_s: float = 10.0
    read_back: str | None = None
    read_back_token: str | None = None
    read_back_wait_s: float = 10.0


def select_rules(profile: str, only: Sequence[str] = (), sections: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Return the rules of a profile, narrowed to ids (``*`` and ``?`` as in file names) and sections.

    Raises:
        ParcoursError: a pattern or a section that names none of them.
    """
    rules = [rule for rule in ALL if profile == "all" or profile in rule.profiles]
    known = {rule.id for rule in rules} | {rule.section for rule in rules}
    for pattern in (*only, *sections):
        if not any(fnmatchcase(name, pattern) for name in known):
            raise ParcoursError(
                "unknown_rule",
                Words(f"Aucune règle « {pattern} » dans ce profil.", f"No rule “{pattern}” in this profile."),
                Words(f"Les sections : {', '.join(SECTIONS)}.", f"The sections: {', '.join(SECTIONS)}."),
            )
    return tuple(
        rule
        for rule in rules
        if (not only and not sections)
        or any(fnmatchcase(rule.id, pattern) or rule.section == pattern for pattern in only)
        or rule.section in sections
    )


def conform(asked: Asked, progress: Progress) -> Report:
    """Run the rules against a server.

    Raises:
        ParcoursError: nothing could be tested: the address is none, or nothing answers there.
    """
    begun_s = time.monotonic()
    rules = select_rules(asked.profile, asked.only, asked.sections)
    run = Run(read_target(asked.url), asked.write_key, profile=asked.profile, timeout_s=asked.timeout_s)
    reader = open_reader(asked.read_back, asked.read_back_token, asked.timeout_s) if asked.read_back else None
    reach(run)
    done, gone = run_rules(run, rules, reader is not None, progress)
    settled = judge_later(reader, done, asked.read_back_wait_s, progress)
    lines = [make_line(run, rule, outcome, exchanges) for rule, outcome, exchanges in settled]
    return make_report(run, asked.profile, lines, gone, time.monotonic() - begun_s)


def run_rules(run: Run, rules: Sequence[Rule], readable: bool, progress: Progress) -> tuple[list[Done], bool]:
    """Run the rules in order; tell also whether the server went away before the end."""
    progress.begin(Words(f"Conformité de {run.target.url}", f"Conformance of {run.target.url}"), len(rules))
    done: list[Done] = []
    gone: Words | None = None
    for rule in rules:
        run.exchanges = []
        outcome: Outcome | Later
        if rule.section == "readback" and not readable:
            outcome = skipped(NO_READ_BACK)
        else:
            outcome = skipped(gone) if gone else rule.check(run)
        done.append((rule, outcome, tuple(run.exchanges)))
        gone = gone or find_gone(run, rule)
        progress.advance()
    progress.end()
    return done, gone is not None


def judge_later(reader: Reader | None, done: Sequence[Done], wait_s: float, progress: Progress) -> list[Settled]:
    """Judge what could not be judged when it was sent; all of it waits for the same ``wait_s``."""
    waiting = {rule.id: outcome for rule, outcome, _ in done if isinstance(outcome, Later)}
    if reader is None or not waiting:
        return [(rule, skipped(NO_READ_BACK) if isinstance(outcome, Later) else outcome, told)
                for rule, outcome, told in done]  # fmt: skip
    progress.begin(Words("Relecture", "Read-back"), len(waiting))
    settled = settle(reader, waiting, wait_s, progress)
    progress.end()
    return [(rule, settled[rule.id] if isinstance(outcome, Later) else outcome, told) for rule, outcome, told in done]


def find_gone(run: Run, rule: Rule) -> Words | None:
    """Return why the rest cannot be tested, once several requests in a row and a last plain one got nothing."""
    if run.silent < PATIENCE:
        return None
    answer = run.send(run.home(run.event()))
    if answer.trouble not in ("refused", "timeout"):
        return None
    told = describe(answer)
    return Words(f"{GONE.fr.format(rule=rule.id)} ({told.fr})", f"{GONE.en.format(rule=rule.id)} ({told.en})")
