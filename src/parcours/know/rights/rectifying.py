"""Rectification (GDPR art. 16): a value that a person says of themselves takes the place of a wrong one, for good."""

from __future__ import annotations

import time
from collections.abc import Callable

from parcours.blueprint.records import Blueprint
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.audit.log import Audit
from parcours.know.keys import Keys
from parcours.know.personal import Personal
from parcours.know.rights.requests import Requests
from parcours.know.rights.subject import Subject
from parcours.words import Words

MOST_LETTERS = 1_000


class Rectifying:
    """Puts personal values right; events are what happened, and are not rewritten.

    Args:
        blueprint: Which fields hold personal values.
        state, keys: Where they lie.
        requests: The register.
        find: Finds a person (`Rights.find`).
        audit: Gives the log in which an act stands before it goes on.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        state: Database,
        keys: Keys,
        requests: Requests,
        find: Callable[[str], Subject],
        audit: Callable[[], Audit],
    ) -> None:
        self._blueprint, self._state, self._keys = blueprint, state, keys
        self._requests, self._find, self._audit = requests, find, audit

    def rectify(self, identifier: str, field: str, value: str, actor: str, request_no: int = 0) -> tuple[int, Subject]:
        """Put ``value`` in the place of what a field holds of somebody; return the request's number and who it is.

        A source that tells the wrong value again does not bring it back.

        Raises:
            ParcoursError: ``not_rectifiable``, ``value_unusable``, ``nobody_found``, ``several_found`` …
        """
        if field not in self._blueprint.personal_fields():
            raise _not_rectifiable(field, sorted(self._blueprint.personal_fields()))
        value = value.strip()
        if not value or len(value) > MOST_LETTERS or not value.isprintable():
            raise _value_unusable()
        subject = self._find(identifier)
        if request_no:
            self._requests.expect(request_no, "rectification")
        thing = f"{int(subject.profile_ids[0]):016x}"
        self._audit().note(actor, "decide_request", "profile", thing, "done", f"{field}: rectified")
        number = request_no or self._requests.open("rectification", [identifier], actor)
        with self._state.transaction():
            self._requests.start(number, actor)
            now_ms = time.time_ns() // 1_000_000
            own = [one for one in subject.asked.tolist() if one in subject.pseudonyms]
            rest = [one for one in subject.pseudonyms.tolist() if one not in own]
            Personal(self._state, self._keys).rectify([*own, *rest], field, value, now_ms)
            self._requests.close(number, "done", actor, field)
        return number, subject


def _not_rectifiable(field: str, known: list[str]) -> ParcoursError:
    listed = ", ".join(known) or "–"
    return ParcoursError(
        "not_rectifiable",
        Words(
            fr=f"« {field} » n'est pas un champ personnel du blueprint.",
            en=f"“{field}” is no personal field of the blueprint.",
        ),
        Words(
            fr=f"Champs : {listed}. Ce qu'un événement raconte est ce qui s'est passé : limitez-en l'usage (parcours "
            "requests DIR restrict) ou corrigez-le à sa source ; un identifiant se sépare avec parcours unmerge.",
            en=f"Fields: {listed}. What an event tells is what happened: restrict its use (parcours requests DIR "
            "restrict) or mend it at its source; an identifier is parted with parcours unmerge.",
        ),
    )


def _value_unusable() -> ParcoursError:
    return ParcoursError(
        "value_unusable",
        Words(
            fr=f"La nouvelle valeur est vide, a plus de {MOST_LETTERS} caractères ou contient des caractères de "
            "contrôle.",
            en=f"The new value is empty, has more than {MOST_LETTERS} characters or holds control characters.",
        ),
        Words(fr="Écrivez-la sur une ligne.", en="Write it on one line."),
    )
