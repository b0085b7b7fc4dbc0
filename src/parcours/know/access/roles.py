"""The roles, and who is asking: a person, their role, and what is their own."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from parcours.words import Words

Role = Literal["cco", "cmo", "cem", "csm", "dpo", "sales", "finance", "it"]

ROLES: tuple[Role, ...] = get_args(Role)

LABELS: dict[Role, Words] = {
    "cco": Words(fr="direction de l'expérience client (CCO)", en="chief customer officer (CCO)"),
    "cmo": Words(fr="direction du marketing (CMO)", en="chief marketing officer (CMO)"),
    "cem": Words(fr="responsable de l'expérience client (CEM)", en="customer experience manager (CEM)"),
    "csm": Words(fr="responsable du succès client (CSM)", en="customer success manager (CSM)"),
    "dpo": Words(fr="délégué à la protection des données (DPO)", en="data protection officer (DPO)"),
    "sales": Words(fr="ventes", en="sales"),
    "finance": Words(fr="finance", en="finance"),
    "it": Words(fr="informatique", en="IT"),
}


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the number of a person (never a name), the role they act in, and what is their own.

    ``scope`` holds a CEM's own teams, by their ids in the blueprint, or the own accounts of a CSM or a salesperson, as
    ``GROUP:LABEL``: a label of one of the blueprint's groups of customers.
    """

    person_id: int
    role: Role
    scope: tuple[str, ...] = ()

    @property
    def view(self) -> str:
        """What two callers who see the same have in common; it names nobody."""
        return f"{self.role} {' '.join(sorted(self.scope))}"


class Thing(msgspec.Struct, frozen=True):
    """What something is done to, with what a decision needs to know of it.

    Attributes:
        kind: ``touchpoint``, ``operation``, ``measure``, ``profile``, ``change``, ``merge``, ``request`` …
        id: Which one: an id, or a pseudonym in hexadecimal.
        teams: The teams that own it.
        accounts: The accounts that it belongs to, as in `Caller`.
        proposed_by: The number of the person who proposed it.
        decided_by: The number of the person who decided that it may be done.
    """

    kind: str
    id: str = ""
    teams: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    proposed_by: int | None = None
    decided_by: int | None = None
