"""What people may ask of one company: what they allow, and their rights under the GDPR."""

from __future__ import annotations

import time
from functools import cached_property

from parcours.blueprint.records import Purpose
from parcours.collect.door import IDENTIFIERS
from parcours.know.audience.door import object_for, take_back
from parcours.know.consents import Consents
from parcours.know.gate.since import kept_since
from parcours.know.permitting import Permitting
from parcours.know.pseudonyms import Numbers, types_of
from parcours.know.reading import Permission
from parcours.know.rights.opendsr import OpenDsr
from parcours.know.rights.rectifying import Rectifying
from parcours.know.rights.restricting import Restricting
from parcours.know.vault import Vault


class Asking(Permitting):
    """Choices, requests, and what answers them."""

    @cached_property
    def consents(self) -> Consents:
        """What customers allow: coverage in counts, and choices that are recorded on their behalf."""

        def permission(purpose: Purpose) -> Permission:
            return self._permission(purpose, kept_since(purpose))

        told = self._folder, self._blueprint, self._state, self._keys, self._manifest, self._identities, self._ledger
        return Consents(*told, lambda: self.audit, permission, self._turn, self._follow)

    @cached_property
    def restricting(self) -> Restricting:
        """What people asked to be used for nothing, or not for one purpose: restrictions and objections."""

        def refuse(identifier: str, purpose: str, actor: str, reason: str) -> object:
            return self.consents.record(identifier, purpose, False, actor, reason, new=True)

        def count(pseudonyms: Numbers, at_ms: int, objects: bool) -> None:
            if self._blueprint.audience is None:
                return
            vault, place = Vault(self._state, self._keys), self._state.path.parent
            mine = pseudonyms[types_of(pseudonyms) == IDENTIFIERS.index("device")].tolist()
            devices = [value for one in mine if (value := vault.read_identifier(one))]
            if objects:
                object_for(place, devices, self._keys, at_ms)
            else:
                take_back(place, devices, self._keys, at_ms, time.time_ns() // 1_000_000)
            # A door of this process remembers who objected; those of others see that somebody has written.
            self._door = None

        told = self._blueprint, self._state, self._ledger, self.requests, self.rights.find
        return Restricting(*told, refuse, lambda: self.audit, count)

    @cached_property
    def opendsr(self) -> OpenDsr:
        """The interface by which programs send requests about people."""
        return OpenDsr(self._blueprint.company.id, self._state, self._keys, self.requests)

    @cached_property
    def rectifying(self) -> Rectifying:
        """What people say is wrong about them, put right."""
        told = self._blueprint, self._state, self._keys, self.requests, self.rights.find
        return Rectifying(*told, lambda: self.audit)
