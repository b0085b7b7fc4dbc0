"""Customers by profile, for whoever may look at one: what was lived, why it is one person, what they allow."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import RLock

import numpy as np

from parcours.blueprint.records import Blueprint
from parcours.know.gate.verdict import Verdict
from parcours.know.identities import Identities
from parcours.know.identity.people import write_profile_id
from parcours.know.identity.proof import Explanation
from parcours.know.live import Live
from parcours.know.personal import Personal, Told
from parcours.know.portrait import Portrait
from parcours.know.pseudonyms import Numbers

_PROFILE = re.compile("[0-9a-f]{16}")


class Portraits:
    """The customers of one company. A profile is named by its id, 16 hexadecimal digits.

    Args:
        blueprint: What is declared.
        identities: Who is who.
        personal: What people told of themselves.
        portray: Reads what a purpose may see of the person who has some identifiers.
        judge: Says whether a purpose may see them at this moment.
        turn: Held while the company is read.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        identities: Identities,
        personal: Personal,
        portray: Callable[[Numbers, str, Live | None], Portrait],
        judge: Callable[[Numbers, str, Live | None], Verdict],
        turn: RLock,
    ) -> None:
        self._blueprint, self._identities, self._personal = blueprint, identities, personal
        self._portray, self._judge, self._turn = portray, judge, turn

    def find(self, identifier: str) -> tuple[str, ...]:
        """Return the profiles that have ``identifier``: ``KIND:VALUE``, or a value that may be of several kinds."""
        with self._turn:
            ids = self._identities.people().profiles(self._identities.pseudonyms_of(identifier))
        return tuple(dict.fromkeys(write_profile_id(one) for one in ids.tolist() if one >= 0))

    def name(self, identifier: str) -> tuple[tuple[str, str], ...]:
        """Return who has ``identifier``: the kind and id of each profile, or the pseudonyms of who is new this second.

        Nothing where it can be nobody's.
        """
        profiles = self.find(identifier)
        if profiles:
            return tuple(("profile", one) for one in profiles)
        with self._turn:
            own = self._identities.pseudonyms_of(identifier)
        return tuple(("identifier", f"{one:016x}") for one in own.tolist())

    def show(self, profile: str, purpose: str, live: Live | None = None) -> Portrait | None:
        """Return what ``purpose`` may see of a customer at this moment; nothing when there is no such profile.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``state_damaged`` …
        """
        with self._turn:
            own = self._members(profile)
            return self._portray(own, purpose, live) if len(own) else None

    def accounts(self, profile: str, purpose: str) -> tuple[str, ...]:
        """Return the groups of a customer as ``GROUP:LABEL``, by the latest value that ``purpose`` may see of each."""
        portrait = self.show(profile, purpose)
        deeds = portrait.deeds if portrait else ()
        latest = (
            (group.id, next((value for deed in deeds if (value := deed.fields.get(group.field)) is not None), None))
            for group in self._blueprint.groups
        )
        return tuple(f"{id}:{value}" for id, value in latest if value is not None)

    def explain(self, profile: str, unmasked: bool = False) -> Explanation | None:
        """Return why a customer's identifiers are one person, and what was turned down and why."""
        with self._turn:
            own = self._members(profile)
            return self._identities.explain_one(int(own[0]), unmasked) if len(own) else None

    def allowed(self, profile: str, live: Live | None = None) -> tuple[Verdict, ...]:
        """Return whether each purpose of the blueprint may see a customer at this moment, and why."""
        with self._turn:
            own = self._members(profile)
            purposes = self._blueprint.purposes if len(own) else ()
            return tuple(self._judge(own, purpose.id, live) for purpose in purposes)

    def personal(self, profile: str, purpose: str) -> dict[str, str]:
        """Return a customer's latest personal values that ``purpose`` may see, by field."""
        hidden = self._blueprint.hidden_from(purpose)
        latest: dict[str, Told] = {}
        with self._turn:
            own = self._members(profile)
            if not len(own) or not self._judge(own, purpose, None):
                return {}
            for _, values in self._personal.read(own.tolist()):
                for field, told in values.items():
                    if field not in hidden and (field not in latest or told.occurred_ms >= latest[field].occurred_ms):
                        latest[field] = told
        return {field: told.text for field, told in sorted(latest.items())}

    def _members(self, profile: str) -> Numbers:
        """Return the identifiers of a profile, the earliest first."""
        people = self._identities.people()
        id = int(profile, 16) if _PROFILE.fullmatch(profile) else -1
        found = np.flatnonzero(people.profile_ids == id) if id >= 0 else np.empty(0, np.intp)
        places = np.flatnonzero(people.person == found[0]) if len(found) else np.empty(0, np.intp)
        members: Numbers = people.pseudonyms[places[np.argsort(people.first_seen[places], kind="stable")]]
        return members
