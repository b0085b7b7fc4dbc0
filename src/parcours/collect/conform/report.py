"""What a run reports: a line a rule, the counts by section, and whether the server conforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from parcours.collect.conform.rule import Level, Outcome, Profile, Rule, Verdict
from parcours.collect.conform.run import Run
from parcours.words import Words

SECTIONS: Final = {
    "routes": Words("les routes", "routes"),
    "settings": Words("les réglages du navigateur", "settings for browsers"),
    "pixel": Words("le pixel", "the pixel"),
    "auth": Words("l'authentification", "authentication"),
    "bodies": Words("les corps", "bodies"),
    "events": Words("les événements singuliers", "odd events"),
    "sizes": Words("les tailles", "sizes"),
    "answers": Words("les réponses", "answers"),
    "cors": Words("CORS", "CORS"),
    "malformed": Words("les entrées malformées", "malformed input"),
    "wire": Words("le fil", "the wire"),
    "readback": Words("la relecture", "read-back"),
}
"""The sections, in the order in which they run."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and how it went; ``exchanges`` are the requests made, without keys."""

    id: str
    section: str
    level: Level
    profiles: tuple[Profile, ...]
    sent: Words
    came: Words
    contract: Words
    source: str
    verdict: Verdict
    reason: Words
    exchanges: tuple[str, ...]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one section; ``advised`` are the advised rules that fail."""

    section: str
    label: Words
    passed: int
    failed: int
    advised: int
    skipped: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A run: whether every required rule that could be tested passes, the counts, and a line a rule."""

    url: str
    profile: str
    run: str
    conforms: bool
    passed: int
    failed: int
    advised: int
    skipped: int
    seconds: float
    sections: tuple[Tally, ...]
    rules: tuple[Line, ...]


def make_line(run: Run, rule: Rule, outcome: Outcome, exchanges: tuple[str, ...]) -> Line:
    """Join a rule and how it went; an answer may repeat the write key, a report never does."""
    return Line(
        id=rule.id,
        section=rule.section,
        level=rule.level,
        profiles=rule.profiles,
        sent=rule.sent,
        came=Words(run.mask(outcome.came.fr), run.mask(outcome.came.en)),
        contract=rule.contract,
        source=rule.source,
        verdict=outcome.verdict,
        reason=outcome.reason,
        exchanges=tuple(run.mask(told) for told in exchanges),
    )


def make_report(run: Run, profile: str, lines: Sequence[Line], gone: bool, seconds: float) -> Report:
    """Count the lines by section and over all; a server that went away does not conform."""
    tallies = [tally(name, [line for line in lines if line.section == name]) for name in SECTIONS]
    whole = tally("", lines)
    return Report(
        url=run.target.url,
        profile=profile,
        run=run.id,
        conforms=whole.failed == 0 and not gone,
        passed=whole.passed,
        failed=whole.failed,
        advised=whole.advised,
        skipped=whole.skipped,
        seconds=round(seconds, 3),
        sections=tuple(each for each in tallies if each.passed + each.failed + each.advised + each.skipped),
        rules=tuple(lines),
    )


def tally(section: str, lines: Sequence[Line]) -> Tally:
    """Count the verdicts of some lines."""
    verdicts = [(line.verdict, line.level) for line in lines]
    return Tally(
        section=section,
        label=SECTIONS.get(section, Words()),
        passed=sum(verdict == "pass" for verdict, _ in verdicts),
        failed=verdicts.count(("fail", "required")),
        advised=verdicts.count(("fail", "advised")),
        skipped=sum(verdict == "skip" for verdict, _ in verdicts),
    )
