"""The decision: may this person do this to that, by which rule, and what would allow it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

import msgspec

from parcours.know.access.actions import ACTIONS, LABELS, Action
from parcours.know.access.roles import LABELS as ROLE_LABELS
from parcours.know.access.roles import ROLES, Caller, Role, Thing
from parcours.words import LANGUAGES, Words

FILE = "permissions.md"
REFUSED = "–"
Only = Literal["", "counts", "promises"]

APPROVALS: frozenset[Action] = frozenset({"approve_change", "settle_merge"})
"""What takes a second person: whoever proposed the thing may not do it."""

NARROWED = ("", "measure", "page", "export")
"""Kinds of things that are nobody's own: whoever may only see their own gets that part of them."""


class Right(msgspec.Struct, frozen=True):
    """One cell of the table: what a role may do, and within which bounds."""

    own: bool = False
    groups: bool = False
    only: Only = ""
    masked: bool = False
    reason: bool = False
    approved: bool = False

    @property
    def words(self) -> str:
        """The cell as it stands in the table."""
        order = ("own", self.only, "groups", "masked", "reason", "approved")
        told = [word for word in order if word and (word == self.only or getattr(self, word))]
        return ", ".join(told) or "all"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something may be done, and how.

    Attributes:
        allowed: Whether it may.
        code: Which rule says so: ``table``, ``own``, ``second_person``, ``undecided``.
        rule: The rule in a sentence.
        remedy: What would allow it; empty where it is allowed.
        masked: Personal data stays masked.
        needs_reason: Only with a reason, which is noted in the audit log first.
        aggregate_only: Only figures of at least ten customers.
        own: Only the part that is the caller's own.
        only: Nothing but ``counts``, or nothing but ``promises``.
    """

    allowed: bool
    code: str
    rule: Words
    remedy: Words = Words()
    masked: bool = True
    needs_reason: bool = False
    aggregate_only: bool = True
    own: bool = True
    only: Only = ""


def decide(caller: Caller, action: Action, thing: Thing | None = None) -> Decision:
    """Decide whether ``caller`` may do ``action``, to ``thing`` where it concerns one.

    What is allowed without a thing, or with one of a kind that is nobody's own, is narrowed to what is the caller's
    (``own``). Whatever a purpose or a customer's consent does not allow stays out of sight all the same.
    """
    right = table().get((caller.role, action))
    if right is None:
        return Decision(allowed=False, code="table", rule=_not_in_table(caller.role, action), remedy=_who_may(action))
    if thing is not None and action in APPROVALS and thing.proposed_by == caller.person_id:
        return Decision(allowed=False, code="second_person", rule=_SECOND, remedy=_who_may(action, another=True))
    if right.approved and (thing is None or thing.decided_by in (None, caller.person_id)):
        return Decision(allowed=False, code="undecided", rule=_UNDECIDED, remedy=_who_may("decide_request"))
    if right.own and not _is_own(caller, thing):
        return Decision(allowed=False, code="own", rule=_not_own(caller, thing), remedy=_whose(caller, thing))
    return Decision(
        allowed=True,
        code="table",
        rule=_in_table(caller.role, action, right),
        masked=right.masked,
        needs_reason=right.reason,
        aggregate_only=right.groups,
        own=right.own,
        only=right.only,
    )


def _is_own(caller: Caller, thing: Thing | None) -> bool:
    if thing is None or thing.kind in NARROWED:
        return bool(caller.scope)
    owners = thing.teams if caller.role == "cem" else thing.accounts
    return bool(set(owners) & set(caller.scope))


@cache
def table() -> dict[tuple[Role, Action], Right]:
    """Return the one table of permissions, as ``permissions.md`` holds it; what is not in it is refused."""
    text = (files("parcours.know.access") / FILE).read_text("utf-8")
    return read_table(text)


def read_table(text: str) -> dict[tuple[Role, Action], Right]:
    """Read the table of a Markdown text.

    Raises:
        ValueError: It names a role, an action or a word that is none, or leaves a role or an action out.
    """
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    start = next(place for place, cells in enumerate(lines) if cells[0] == "action")
    roles = lines[start][1:]
    if sorted(roles) != sorted(ROLES):
        raise ValueError(f"{FILE}: {roles}")
    rights: dict[tuple[Role, Action], Right] = {}
    rows = lines[start + 2 :]
    if {cells[0] for cells in rows} < set(ACTIONS):
        raise ValueError(f"{FILE}: {sorted(set(ACTIONS) - {cells[0] for cells in rows})}")
    for action, *cells in rows:
        if action not in ACTIONS or len(cells) != len(roles):
            raise ValueError(f"{FILE}: {action}")
        for role, cell in zip(roles, cells, strict=True):
            if cell != REFUSED:
                rights[cast(Role, role), action] = _read_cell(cell)
    return rights


def _read_cell(cell: str) -> Right:
    told: dict[str, Any] = {}
    for word in (word.strip() for word in cell.split(",")):
        if word in ("counts", "promises"):
            told["only"] = word
        elif word in ("own", "groups", "masked", "reason", "approved"):
            told[word] = True
        elif word != "all":
            raise ValueError(f"{FILE}: {word}")
    return Right(**told)


_SECOND = Words(
    fr="Nul n'approuve ce qu'il a proposé.",
    en="Nobody approves what they proposed.",
)
_UNDECIDED = Words(
    fr="Ce rôle n'exécute que ce que quelqu'un d'autre a décidé.",
    en="This role only runs what somebody else has decided.",
)
_BOUNDS = {
    "own": Words(fr="le sien seulement", en="their own only"),
    "groups": Words(fr="groupes d'au moins dix clients", en="groups of at least ten customers"),
    "counts": Words(fr="les effectifs seulement", en="counts only"),
    "promises": Words(fr="promesses et affaires en cours seulement", en="promises and open matters only"),
    "masked": Words(fr="données personnelles masquées", en="personal data masked"),
    "reason": Words(fr="avec un motif", en="with a reason"),
    "approved": Words(fr="ce qu'un autre a décidé", en="what somebody else has decided"),
    "all": Words(fr="sans autre limite", en="without a further limit"),
}


def say_bounds(right: Right | None) -> Words:
    """Return the words of a cell of the table as a sentence has them."""
    if right is None:
        return Words(fr="non", en="no")
    words = [_BOUNDS[word] for word in right.words.split(", ")]
    return Words(**{language: ", ".join(each.in_language(language) for each in words) for language in LANGUAGES})


def _in_table(role: Role, action: Action, right: Right) -> Words:
    bounds, who, what = say_bounds(right), ROLE_LABELS[role], LABELS[action]
    return Words(
        fr=f"La table donne à « {who.fr} » le droit de {what.fr} : {bounds.fr}.",
        en=f"The table lets “{who.en}” {what.en}: {bounds.en}.",
    )


def _not_in_table(role: Role, action: Action) -> Words:
    who, what = ROLE_LABELS[role], LABELS[action]
    return Words(
        fr=f"La table ne donne pas à « {who.fr} » le droit de {what.fr}.",
        en=f"The table does not let “{who.en}” {what.en}.",
    )


def _who_may(action: Action, another: bool = False) -> Words:
    may = [ROLE_LABELS[role] for role in ROLES if (role, action) in table()]
    if not may:
        return Words(fr="Aucun rôle n'y a droit.", en="No role may.")
    french, english = ("; ".join(who.in_language(language) for who in may) for language in LANGUAGES)
    if another:
        return Words(fr=f"Une autre personne le peut, dans ce rôle : {french}.", en=f"Another person may: {english}.")
    return Words(fr=f"Le peuvent : {french}.", en=f"Who may: {english}.")


def _not_own(caller: Caller, thing: Thing | None) -> Words:
    if not caller.scope:
        return Words(
            fr="Ce rôle ne voit que ce qui est à lui, et rien ne vous est attribué.",
            en="This role sees its own alone, and nothing is assigned to you.",
        )
    told = f" ({thing.kind} {thing.id})" if thing and thing.id else ""
    return Words(
        fr=f"Ce rôle ne voit que ce qui est à lui, et ceci n'en est pas{told}.",
        en=f"This role sees its own alone, and this is not{told}.",
    )


def _whose(caller: Caller, thing: Thing | None) -> Words:
    owners = () if thing is None else thing.teams if caller.role == "cem" else thing.accounts
    if caller.role == "cem":
        if not owners:
            return Words(
                fr="Quelqu'un qui gère les personnes peut vous attribuer une équipe.",
                en="Somebody who manages people can assign a team to you.",
            )
        told = ", ".join(owners)
        return Words(
            fr=f"Quelqu'un qui gère les personnes peut vous attribuer l'équipe : {told}.",
            en=f"Somebody who manages people can assign the team to you: {told}.",
        )
    # Which accounts a customer belongs to is nothing for somebody who may not see that customer.
    return Words(
        fr="Quelqu'un qui gère les personnes peut vous attribuer ce compte.",
        en="Somebody who manages people can assign this account to you.",
    )
