"""Restriction (GDPR art. 18) and objection (art. 21): what a person asks to be kept unused, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from parcours.blueprint.records import Blueprint, Purpose
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.audit.log import Audit
from parcours.know.consent.ledger import Ledger
from parcours.know.consent.restrictions import EVERY_PURPOSE
from parcours.know.gate.versions import Versions
from parcours.know.masks import mask
from parcours.know.pseudonyms import Numbers
from parcours.know.rights.requests import Kind, Requests
from parcours.know.rights.subject import Subject
from parcours.words import Words

WEIGHED = ("legitimate_interest", "public_task")
"""The bases against which an objection is weighed (art. 21(1)); whoever consented withdraws instead."""


class Restricting:
    """What the people of one company asked to be used for nothing, or not for one purpose.

    Everything counts at the next look at the gate: at the door, in derived tables, at `may`, in exports.

    Args:
        blueprint: Which purposes there are, and which are direct marketing.
        state: ``state.db``.
        ledger: Where restrictions stand, and refusals.
        requests: The register.
        find: Finds a person (`Rights.find`).
        refuse: Records that somebody refuses a purpose: identifier, purpose, actor, reason.
        audit: Gives the log in which an act stands before it goes on.
        count: Has the audience space count these identifiers' devices no more from a moment on, or (``False``) again.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        state: Database,
        ledger: Ledger,
        requests: Requests,
        find: Callable[[str], Subject],
        refuse: Callable[[str, str, str, str], object],
        audit: Callable[[], Audit],
        count: Callable[[Numbers, int, bool], None] = lambda *_: None,
    ) -> None:
        self._blueprint, self._state, self._ledger, self._requests = blueprint, state, ledger, requests
        self._find, self._refuse, self._audit, self._count = find, refuse, audit, count
        self._versions = Versions(state)

    def restrict(self, identifier: str, actor: str, ground: str, request_no: int = 0) -> int:
        """Keep what is known of somebody, and use it for nothing until `lift`; return the number of the request.

        Raises:
            ParcoursError: ``ground_missing``, ``nobody_found``, ``several_found`` …
        """
        subject, ground = self._find(identifier), _tidy(ground)
        number = self._enter("restriction", identifier, subject, actor, request_no, f"restricted. {ground}")
        now_ms = _now_ms()
        # First: a door is made anew, and hears of it, when `state.db` has changed.
        self._count(subject.pseudonyms, now_ms, True)
        with self._state.transaction():
            self._requests.start(number, actor)
            self._ledger.restrictions.put(subject.pseudonyms, EVERY_PURPOSE, number, now_ms)
            self._requests.close(number, "done", actor, ground)
        return number

    def object_to(self, identifier: str, purpose: str, actor: str, ground: str, request_no: int = 0) -> int:
        """Note that somebody objects to a purpose; return the number of the request.

        Against direct marketing and audience measurement it holds at once and for good, and so does a withdrawn
        consent. Against a legitimate interest or a public task it is weighed: until `uphold` or `reject` the purpose
        may not use them (art. 18(1)(d)).

        Raises:
            ParcoursError: ``unknown_purpose``, ``no_right_to_object``, ``ground_missing``, ``nobody_found`` …
        """
        named, subject = self._find_purpose(purpose), self._find(identifier)
        # Marketing is objected to, and consent withdrawn, without saying why (art. 21(2), 7(3)).
        ground = mask(ground) if named.marketing or named.basis == "consent" else _tidy(ground)
        number = self._enter("objection", identifier, subject, actor, request_no, f"{purpose}: objected. {ground}")
        if self._is_audience(named):
            self._count(subject.pseudonyms, _now_ms(), True)
        with self._state.transaction():
            self._requests.start(number, actor)
            if named.marketing or named.basis == "consent" or self._is_audience(named):
                self._refuse(identifier, purpose, actor, ground or f"objection {number}")
                self._requests.close(number, "done", actor, ground)
            else:
                bit = self._versions.of(named).number
                self._ledger.restrictions.put(subject.pseudonyms, bit, number, _now_ms())
        return number

    def uphold(self, number: int, actor: str, ground: str) -> None:
        """Grant an objection that was weighed: the purpose refuses this person from now on.

        Raises:
            ParcoursError: ``not_weighed`` when nothing waits under this number, ``request_closed`` …
        """
        purpose = self._weighed(number)
        ground = _tidy(ground)
        self._audit().note(actor, "decide_request", "request", number, "done", f"{purpose}: upheld. {ground}")
        with self._state.transaction():
            for identifier in self._requests.identifiers_of(number):
                self._refuse(identifier, purpose, actor, ground)
            self._ledger.restrictions.lift(number)
            self._requests.close(number, "done", actor, ground)

    def reject(self, number: int, actor: str, ground: str) -> None:
        """Turn an objection down for compelling grounds, which the person is told: the purpose may use them again.

        Errors as in `uphold`, and ``ground_missing``.
        """
        purpose, ground = self._weighed(number), _tidy(ground)
        self._audit().note(actor, "decide_request", "request", number, "done", f"{purpose}: rejected. {ground}")
        with self._state.transaction():
            self._ledger.restrictions.lift(number)
            self._requests.close(number, "refused", actor, ground)

    def lift(self, number: int, actor: str, told: str) -> int:
        """End a restriction, once the person was told that it ends (art. 18(3)); ``told`` says how they were.

        Returns how many identifiers were restricted.

        Raises:
            ParcoursError: ``ground_missing``, or ``not_restricted`` when nothing is restricted under this number.
        """
        told = _tidy(told)
        held = [one for one in self._ledger.restrictions.of_request(number) if one.purpose == EVERY_PURPOSE]
        if not held:
            raise _not_restricted(number)
        self._audit().note(actor, "decide_request", "request", number, "done", f"lifted. {told}")
        self._count(np.array([one.principal for one in held], np.int64), held[0].since_ms, False)
        with self._state.transaction():
            count = self._ledger.restrictions.lift(number)
            self._requests.add_act(number, actor, "lifted", told)
        return count

    def in_force(self) -> frozenset[int]:
        """Return the numbers of the requests because of which somebody's data are not used."""
        return self._ledger.restrictions.requests()

    def _is_audience(self, purpose: Purpose) -> bool:
        """Return whether this is the purpose of the audience space, to which whoever objects does so for good."""
        return self._blueprint.audience is not None and purpose.id == self._blueprint.audience.purpose

    def _enter(self, kind: Kind, identifier: str, subject: Subject, actor: str, request_no: int, told: str) -> int:
        if request_no:
            self._requests.expect(request_no, kind)
        thing = f"{int(subject.profile_ids[0]):016x}"
        self._audit().note(actor, "decide_request", "profile", thing, "done", told)
        return request_no or self._requests.open(kind, [identifier], actor)

    def _weighed(self, number: int) -> str:
        """Return the purpose that a request objects to, while that is weighed."""
        names = self._versions.purposes()
        held = {one.purpose for one in self._ledger.restrictions.of_request(number)} - {EVERY_PURPOSE}
        if not held:
            raise _not_weighed(number)
        return names[held.pop()]

    def _find_purpose(self, id: str) -> Purpose:
        named = next((one for one in self._blueprint.purposes if one.id == id), None)
        if named is None:
            listed = ", ".join(one.id for one in self._blueprint.purposes) or "–"
            raise ParcoursError(
                "unknown_purpose",
                Words(fr=f"La finalité « {id} » n'existe pas.", en=f"There is no purpose “{id}”."),
                Words(fr=f"Finalités : {listed}.", en=f"Purposes: {listed}."),
            )
        if not named.marketing and named.basis not in (*WEIGHED, "consent"):
            raise _no_right(named)
        return named


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _tidy(ground: str) -> str:
    told = mask(" ".join(ground.split()))[:200]
    if not told:
        raise ParcoursError(
            "ground_missing",
            Words(
                fr="Il faut dire pourquoi, ou comment la personne l'a dit ou appris.",
                en="It must be said why, or how the person told it or was told.",
            ),
            Words(
                fr="Ajoutez --reason, par exemple « exactitude contestée par téléphone le 3 mars ».",
                en="Add --reason, for instance “contests that it is accurate, call of 3 March”.",
            ),
        )
    return told


def _no_right(purpose: Purpose) -> ParcoursError:
    return ParcoursError(
        "no_right_to_object",
        Words(
            fr=f"On ne s'oppose pas à « {purpose.id} » : sa base légale est {purpose.basis} (RGPD, art. 21(1)).",
            en=f"There is no objecting to “{purpose.id}”: its legal basis is {purpose.basis} (GDPR art. 21(1)).",
        ),
        Words(
            fr="La personne peut demander une limitation (parcours requests DIR restrict) ou un "
            "effacement (parcours forget).",
            en="The person may ask for a restriction (parcours requests DIR restrict) or an erasure (parcours forget).",
        ),
    )


def _not_weighed(number: int) -> ParcoursError:
    return ParcoursError(
        "not_weighed",
        Words(
            fr=f"La demande n° {number} n'est pas une opposition en cours d'examen.",
            en=f"Request no. {number} is no objection that is being weighed.",
        ),
        Words(fr="Le registre les montre : parcours requests DIR", en="The register shows them: parcours requests DIR"),
    )


def _not_restricted(number: int) -> ParcoursError:
    return ParcoursError(
        "not_restricted",
        Words(
            fr=f"Rien n'est limité à la demande n° {number}.", en=f"Nothing is restricted because of request {number}."
        ),
        Words(fr="Le registre les montre : parcours requests DIR", en="The register shows them: parcours requests DIR"),
    )
