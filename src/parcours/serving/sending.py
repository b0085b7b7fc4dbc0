"""The gate before anything is carried out: whether the purpose of a destination may see its people now."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.collect.compaction.parcels import ID_NAMES
from parcours.collect.door import IDENTIFIERS
from parcours.company import Company
from parcours.know import Live, Verdict

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_id = msgspec.json.Decoder(str).decode


class SendGate:
    """Asks for each parcel, at the moment of sending: what was stamped when its event came may have been withdrawn.

    Args:
        company: The company, with its destinations.
    """

    def __init__(self, company: Company) -> None:
        # Who is who as the measurer last found out: to find out here would take a queue's turn from it.
        self._company = Company(company.folder, company.blueprint, company.settings, follow=True)
        self._purposes = {one.destination: one.purpose for one in company.destinations}
        self._live: Live | None = None

    def judge(self, destination: str, bodies: Sequence[bytes]) -> list[Verdict]:
        """Return the verdict on each parcel of ``destination``, by its body.

        Raises:
            ParcoursError: what keeps the ledger from being read: then nothing may be sent.
        """
        if self._live is None:
            self._live = self._company.live
        return self._company.know.may_each([find_ids(body) for body in bodies], self._purposes[destination], self._live)

    def close(self) -> None:
        """Stop following what arrives."""
        if self._live is not None:
            self._live.close()


def find_ids(body: bytes) -> dict[str, str]:
    """Return whom a parcel names, by type of identifier."""
    told = _decode(body)
    return {kind: _read_id(told[ID_NAMES[kind]]) for kind in IDENTIFIERS if ID_NAMES[kind] in told}
