"""Who is who in one company: found out, explained, decided about by people, and linked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.blueprint.records import Purpose
from parcours.errors import ParcoursError
from parcours.know.gate.since import kept_since
from parcours.know.identity.acts import Change, Ruling
from parcours.know.identity.proof import Explanation
from parcours.know.identity.review import Doubt
from parcours.know.linking.batch import Batch, Linkage, Linked, not_declared
from parcours.know.masks import mask
from parcours.know.permitting import Permitting
from parcours.know.reading import count_present
from parcours.progress import Progress
from parcours.words import Words

CUSTOMERS = "know.customers"


class Telling(Permitting):
    """Who is who, and what people say of it."""

    def refresh(self, progress: Progress) -> int:
        """Find out who is who after events came in; return how many customers have an event that is kept now.

        Raises:
            ParcoursError: ``state_damaged`` or ``part_damaged`` names what was altered.
        """
        progress.begin(Words(fr="Identités", en="Identities"))
        with self._turn:
            version = self._identities.version()
            kept = self._tables.read_result(CUSTOMERS, version)
            if kept is None:
                with self._manifest.lease():
                    kept = b"%d" % count_present(self._folder, self._manifest.parts(), self._identities.people())
                self._tables.write_result(CUSTOMERS, version, kept)
        progress.end()
        return int(kept)

    def explain(self, identifier: str, unmasked: bool = False) -> tuple[Explanation, ...]:
        """Return why the identifiers of whoever has ``identifier`` are one person, and what was turned down and why.

        One answer a profile: a value without ``KIND:`` may be the user id of one person and the device of another;
        none where nobody has it. Identifiers are masked unless ``unmasked``.

        Raises:
            ParcoursError: ``state_damaged``, ``row_damaged`` …
        """
        with self._turn:
            return self._identities.explain(identifier, unmasked)

    def explain_unmasked(self, identifier: str, actor: str, reason: str) -> tuple[Explanation, ...]:
        """Return the same with identifiers as they are; whose they are is noted in the audit log first, and why.

        Raises:
            ParcoursError: ``reason_missing``, and as `explain`.
        """
        if not reason.strip():
            raise _reason_missing()
        with self._turn:
            for one in self.explain(identifier):
                self.audit.note(actor, "unmask", "profile", one.profile, "done", reason)
            return self.explain(identifier, unmasked=True)

    def unmerge(self, one: str, other: str, actor: str, cause: str) -> tuple[Change, ...]:
        """Say that two identifiers are never one person; return which identifiers changed profile.

        Raises:
            ParcoursError: ``unknown_identifier``, ``ambiguous_identifier``, ``not_a_pair``.
        """
        with self._turn:
            return self.decide("never_link", self.find_identifier(one), self.find_identifier(other), actor, cause)

    def identity_alarms(self) -> tuple[Words, ...]:
        """Return what says that identifiers are fusing people, a sentence each."""
        with self._turn:
            return self._identities.alarms() if self.is_loaded else ()

    def find_identifier(self, identifier: str) -> int:
        """Return the pseudonym of one known identifier; 16 hexadecimal digits may be the pseudonym itself.

        Raises:
            ParcoursError: ``unknown_identifier``, ``ambiguous_identifier``.
        """
        with self._turn:
            return self._identities.find(identifier)

    def decide(self, decision: Ruling, one: int, other: int, actor: str, cause: str) -> tuple[Change, ...]:
        """Note that two identifiers (pseudonyms) are never one person (``never_link``), or are one (``approved``).

        What was approved overrides the limits for this pair. What the decision touches is folded again at once; the
        identifiers that changed profile are published (`Know.identity_changes`) and returned.

        Raises:
            ParcoursError: ``unknown_identifier``, ``not_a_pair`` or ``not_an_account``: nothing was decided or noted.
        """

        def note() -> None:
            self.audit.note(actor, "settle_merge", "identifier", one, "done", f"{decision} {other:016x} {cause}")

        with self._turn:
            return self._identities.decide(decision, one, other, actor, mask(cause), note)

    def is_decided(self, decision: Ruling, one: int, other: int) -> bool:
        """Return whether ``decision`` is what stands about two identifiers already."""
        with self._turn:
            return self._identities.is_decided(decision, one, other)

    def identity_changes(self, after: int = 0) -> tuple[Change, ...]:
        """Return what decisions changed, after the change of number ``after``: (identifier, old and new profile)."""
        return self._identities.changes(after)

    def review(self) -> tuple[Doubt, ...]:
        """Return the pairs that wait for a person to say whether they are one: see `decide`."""
        with self._turn:
            return self._identities.review()

    def show_identifiers(self, pseudonyms: Sequence[int], unmasked: bool = False) -> list[str]:
        """Return identifiers as they are shown: masked unless ``unmasked``, empty where their keys are gone."""
        return self._identities.show(pseudonyms, unmasked)

    def link(self, train: bool, progress: Progress) -> Linked:
        """Compare people's own data, as the blueprint says, and keep who are probably one; ``train`` learns anew.

        Nobody takes part whom the purpose of linking may not see at this moment.

        Raises:
            ParcoursError: ``link_not_declared``, ``link_not_installed``, ``too_few_to_link``, ``unknown_purpose`` …
        """
        batch, purpose = self._linking()
        with self._turn:
            permission = self._permission(purpose, kept_since(purpose))
            done = batch.run(self._identities.people(), permission, train, progress)
            self.refresh(progress)
            return self._count(done)

    def linkage(self) -> Linkage:
        """Return the last batch of linking and the weights of its model.

        Raises:
            ParcoursError: ``link_not_declared``, ``row_damaged`` …
        """
        with self._turn:
            found = self._linking()[0].show()
            return found if found.last is None else msgspec.structs.replace(found, last=self._count(found.last))

    def _count(self, done: Linked) -> Linked:
        """Return what a batch did with where its pairs stand now: the fold and people have their say after it."""
        joined, waiting, held = self._identities.count_scored()
        return msgspec.structs.replace(done, accepted=joined, waiting=waiting, held=held)

    def _linking(self) -> tuple[Batch, Purpose]:
        link = self._blueprint.link
        if link is None:
            raise not_declared(self._folder)
        batch = Batch(link, self._folder, self._state, self._keys, self._settings)
        return batch, self._find_purpose(link.purpose)


def _reason_missing() -> ParcoursError:
    return ParcoursError(
        "reason_missing",
        Words(
            fr="Les identifiants ne se montrent en clair que pour une raison, qui est journalisée.",
            en="Identifiers are shown in full for a reason alone, which is logged.",
        ),
        Words(
            fr="Donnez la raison, par exemple « appel sur la commande 7 ».",
            en="Give the reason, for instance “a call about order 7”.",
        ),
    )
