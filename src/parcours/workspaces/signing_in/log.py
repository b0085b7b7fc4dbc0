"""The audit log in words: its latest entries by who, what and outcome, and whether it is whole."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import get_args

import msgspec

from parcours.charts.numbers import write_moment, write_number
from parcours.charts.table import Cell, draw_table
from parcours.know import ACTION_LABELS, Access, Entry, Outcome
from parcours.words import Language
from parcours.workspaces.wording import Say, capital

SHOWN = 50
DAYS = ("1", "7", "30")
DAY_MS = 86_400_000


class Choice(msgspec.Struct, frozen=True):
    """One choice of a filter."""

    code: str
    label: str
    chosen: bool


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the log; empty is everything."""

    actor: str = ""
    did: str = ""
    outcome: str = ""
    days: str = ""
    before: str = ""


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of the log; ``older`` leads on where there may be more."""

    whole: bool
    says: str
    root: str
    table: str
    older: str
    actors: tuple[Choice, ...]
    actions: tuple[Choice, ...]
    outcomes: tuple[Choice, ...]
    days: tuple[Choice, ...]


def read_log(access: Access, filters: Filters, names: Mapping[str, str], language: Language, zone: str) -> LogView:
    """Read the log, and check all of it; ``names`` are logins by how the log names people."""
    say = Say(language)
    entries = _find(access, filters)
    whole, says, root = _verify(access, language)
    last = entries[-1].entry_no if len(entries) == SHOWN else 0
    query = "&".join(
        f"{name}={getattr(filters, name)}" for name in ("actor", "did", "outcome", "days") if getattr(filters, name)
    )
    actors = {**names, "cli": say("people.actor_cli"), "local": say("account.local")}
    actions: dict[str, str] = {name: capital(label.in_language(language)) for name, label in ACTION_LABELS.items()}
    return LogView(
        whole=whole,
        says=says,
        root=root,
        table=_draw(entries, actors, language, zone) if entries else "",
        older=f"?{query}{'&' if query else ''}before={last}#log" if last else "",
        actors=_choices(actors, filters.actor, say("people.anybody")),
        actions=_choices(actions, filters.did, say("people.anything")),
        outcomes=_choices(
            {one: say(f"people.outcome_{one}") for one in get_args(Outcome)}, filters.outcome, say("people.any_outcome")
        ),
        days=_choices({one: say.count("people.days", int(one)) for one in DAYS}, filters.days, say("people.ever")),
    )


def _find(access: Access, filters: Filters) -> tuple[Entry, ...]:
    outcome = next((one for one in get_args(Outcome) if one == filters.outcome), None)
    since_ms = time.time_ns() // 1_000_000 - int(filters.days) * DAY_MS if filters.days in DAYS else None
    before = int(filters.before) if filters.before.isascii() and filters.before.isdigit() else None
    return access.audit.read(
        actor=filters.actor or None,
        action=filters.did if filters.did in ACTION_LABELS else None,
        outcome=outcome,
        since_ms=since_ms,
        before=before if before is not None and before < 1 << 62 else None,
        limit=SHOWN,
    )


def _verify(access: Access, language: Language) -> tuple[bool, str, str]:
    """Return whether every entry and root holds, a sentence that says so, and the root of the last day that is over."""
    say = Say(language)
    fault = next(access.audit.verify(), None)
    if fault is not None:
        return False, f"{fault.faults[0].sentence.in_language(language)} {say('people.log_broken')}", ""
    latest = access.audit.read(limit=1)
    count = latest[0].entry_no if latest else 0
    closed = access.audit.roots()
    root = closed[-1].root.hex() if closed else ""
    return True, say.count("people.log_whole", count), root


def _choices(named: Mapping[str, str], chosen: str, all: str) -> tuple[Choice, ...]:
    return (
        Choice("", all, chosen not in named),
        *(Choice(value, label, value == chosen) for value, label in named.items()),
    )


def _draw(entries: tuple[Entry, ...], actors: Mapping[str, str], language: Language, zone: str) -> str:
    say = Say(language)
    headings = [
        Cell(say(f"people.column_{name}"), number=name == "no") for name in ("no", "at", "who", "did", "to", "why")
    ]
    rows = [
        [
            Cell(write_number(entry.entry_no, language), number=True),
            Cell(write_moment(entry.at_ms, language, zone)),
            Cell(actors.get(entry.actor, entry.actor)),
            Cell(_say_act(entry, say)),
            Cell(f"{entry.thing_kind} {actors.get(entry.thing, entry.thing)}"),
            Cell(entry.reason),
        ]
        for entry in entries
    ]
    return draw_table(say("people.log_table"), headings, rows)


def _say_act(entry: Entry, say: Say) -> str:
    label = ACTION_LABELS.get(entry.action)  # type: ignore[call-overload]
    told = label.in_language(say.language) if label else entry.action
    return capital(told) if entry.outcome == "done" else say("people.was_refused", what=told)
