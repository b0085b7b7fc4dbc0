"""One customer at this moment: timeline, online profile, and portrait, for a purpose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256

from parcours.blueprint.records import Purpose
from parcours.collect.source import Source
from parcours.engine.store.tables import Version
from parcours.know.customer import Customer, read_kept, still_holds
from parcours.know.gate.since import kept_since
from parcours.know.gate.verdict import Verdict
from parcours.know.identity.edges import Edges
from parcours.know.live import Live
from parcours.know.permitting import PROFILES, Permitting
from parcours.know.personal import Personal
from parcours.know.portrait import Portrait
from parcours.know.portraits import Portraits
from parcours.know.profiles import AsOf, Profile, Profiles, write_profiles
from parcours.know.pseudonyms import Numbers
from parcours.know.timeline import Timeline


class Showing(Permitting):
    """What a purpose may know of one customer."""

    def live(self, sources: Sequence[Source]) -> Live:
        """Return what follows the journal of this company, to which ``sources`` deliver; a process needs one."""
        return Live(self._folder, self._blueprint, self._settings, sources, self._keys, self._spelling)

    def timeline(self, identifier: str, purpose: str, live: Live | None = None) -> Timeline:
        """Return what ``purpose`` may see of the customer who has ``identifier``: an id, mail, phone or device.

        ``KIND:VALUE`` says which kind it is (`user`, `mail`, `phone`, `device`); otherwise every kind is tried. With
        ``live`` what was accepted a moment ago is there too.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``state_damaged`` …
        """
        named = self._find_purpose(purpose)
        with self._turn:
            customer = self._find_customer(identifier, named, live)
            return customer.timeline(self._folder, self._blueprint, self._manifest, kept_since(named))

    def refresh_profiles(self, purpose: str) -> None:
        """Bring the online profiles of ``purpose`` up to date; they hold all that its stamp allows.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``disk_full`` …
        """
        named = self._find_purpose(purpose)
        with self._turn:
            bit = self._number(named).number
            with self._manifest.lease():
                kept = read_kept(self._manifest, kept_since(named), self._written)
                before, version = self._held_profiles(purpose)
                if before is not None and before.as_of == kept.as_of:
                    return
                if before is not None and not still_holds(before.as_of, kept.as_of):
                    before = None
                with self._tables.replace(f"{purpose}{PROFILES}", _digest(kept.as_of)) as draft:
                    write_profiles(self._folder, self._blueprint, kept.parts, bit, kept.as_of, before, draft)
                del version

    def profile(self, identifier: str, purpose: str, live: Live | None = None) -> Profile:
        """Return what ``purpose`` may know at this moment of the customer who has ``identifier`` (see `timeline`).

        It rests on what was last published and on everything that came since, with ``live`` on what waits too.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``state_damaged`` …
        """
        named = self._find_purpose(purpose)
        with self._turn:
            customer = self._find_customer(identifier, named, live)
            # Held as long as it is read.
            profiles, version = self._held_profiles(purpose)
            since_ms = kept_since(named)
            found = customer.profile(self._folder, self._blueprint, self._manifest, since_ms, self._written, profiles)
            del version
            return found

    def _held_profiles(self, purpose: str) -> tuple[Profiles | None, Version | None]:
        fingerprint = self._tables.fingerprint(f"{purpose}{PROFILES}")
        version = self._tables.hold(f"{purpose}{PROFILES}", fingerprint) if fingerprint else None
        return (None, None) if version is None else (Profiles(version.path), version)

    def _find_customer(self, identifier: str, purpose: Purpose, live: Live | None) -> Customer:
        return self._open_customer(self._identities.pseudonyms_of(identifier), purpose, live)

    def _open_customer(self, own: Numbers, purpose: Purpose, live: Live | None) -> Customer:
        number, edges = self._number(purpose), Edges(self._state, self._keys)
        erased = self._tombstones.covers
        return Customer(
            purpose, number, own[~erased(own)], self._identities.people(), edges, self._ledger, live, erased=erased
        )

    @cached_property
    def portraits(self) -> Portraits:
        """Customers as a whole, by profile: their timeline, proof, consents and what they belong to."""

        def portray(own: Numbers, purpose: str, live: Live | None) -> Portrait:
            named = self._find_purpose(purpose)
            customer = self._open_customer(own, named, live)
            return customer.portrait(self._folder, self._blueprint, self._manifest, kept_since(named))

        def judge(own: Numbers, purpose: str, live: Live | None) -> Verdict:
            return self._look_up([own], self._find_purpose(purpose), live)[0]

        personal = Personal(self._state, self._keys)
        return Portraits(self._blueprint, self._identities, personal, portray, judge, self._turn)


def _digest(as_of: AsOf) -> str:
    return sha256(repr(as_of).encode()).hexdigest()[:32]
