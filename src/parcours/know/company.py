"""One company's people and what they allow: the door in, the identities between, the gate out."""

from __future__ import annotations

from functools import cached_property

from parcours.collect.door import Door
from parcours.know.asking import Asking
from parcours.know.door import CompanyDoor
from parcours.know.moments import compare_moments
from parcours.know.rotation import Rotated, rotate
from parcours.know.showing import Showing
from parcours.know.telling import Telling
from parcours.know.upkeep import Upkeep
from parcours.words import Words


class Know(Telling, Showing, Asking):
    """The wall round one company's rows: whoever wants some names a purpose.

    What it is opened with is told at `Kept`; who is who at `Telling`, what a purpose may see at `Permitting`, one
    customer at `Showing`, and what people may ask for at `Asking`.
    """

    def door(self) -> Door:
        """Return the door through which `collect` hands events over: the same one until somebody else has written.

        What it remembers of the vault would then be stale, and a key that is thought to be missing is made anew.
        """
        version = self._state.data_version(), self._tombstones.version()
        if self._door is None or self._door[0] != version:
            compare_moments(self._manifest, self._state)
            door = CompanyDoor(self._blueprint, self._state, self._keys, self._spelling)
            self._door = version, door
        return self._door[1]

    def rotate(self, key: str) -> Rotated:
        """Put another key in the place of ``key`` (see `parcours.know.rotation.rotate`)."""
        return rotate(key, self._folder, self._settings, self._keys, self._state, self._manifest, self.audit)

    @cached_property
    def upkeep(self) -> Upkeep:
        """What keeps no more than is needed: retention, masks, undeclared names, and audience measured apart."""
        parts = self._folder, self._blueprint, self._state, self._keys, self._manifest
        return Upkeep(*parts, self.door, self._let_go_of_door)

    def _let_go_of_door(self) -> None:
        self._door = None

    def hour_key(self, hour: int) -> bytes | None:
        """Return the key that seals the journal's batches of ``hour`` (its number since 1970, UTC), made if need be."""
        return self._keys.hour_key(hour, make=True)

    def survey_key(self) -> bytes:
        """Return the 32-byte key that seals survey links."""
        return self._keys.derive("surveys")

    @property
    def warnings(self) -> tuple[Words, ...]:
        """What the keeper of the keys should know, and whoever answers requests."""
        rights = (*self.requests.warnings(), *self.rights.warnings())
        return (*self._opened_keys[1], *rights, *self.identity_alarms())
