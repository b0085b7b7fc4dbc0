"""Who asks, in the session of which request: known to whatever is called while that request is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from parcours.know import Access, Action, Caller, Decision, SignedIn, Thing, decide, name_actor


class Asking(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        caller: What decisions are made about.
        signed_in: The person, and their session.
        access: The accounts of the company.
        decision: What was decided about the route that is being answered.
    """

    caller: Caller
    signed_in: SignedIn
    access: Access
    decision: Decision | None = None

    @property
    def actor(self) -> str:
        """How the audit log names them."""
        return name_actor(self.caller.person_id)


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)
_seal: ContextVar[str] = ContextVar("seal", default="")


def who_asks() -> Asking | None:
    """Return who asks; nobody outside a request, or on the few pages that are open."""
    return _asking.get()


def asker() -> Asking:
    """Return who asks, where a guard has made sure that somebody does."""
    asking = _asking.get()
    assert asking is not None, "nobody asks"  # noqa: S101
    return asking


def may_do(action: Action, thing: Thing | None = None) -> bool:
    """Return whether who asks may do that, so that a page offers it; outside a request nothing is kept back."""
    asking = _asking.get()
    return asking is None or decide(asking.caller, action, thing).allowed


def session_seal() -> str:
    """Return what ties a form to the browser that it was given to: its session, else its visit of the sign-in page."""
    asking = _asking.get()
    return asking.signed_in.session.digest if asking else _seal.get()


@contextmanager
def asked_by(asking: Asking | None, seal: str = "") -> Iterator[None]:
    """Let `who_asks` say so inside."""
    held, sealed = _asking.set(asking), _seal.set(seal)
    try:
        yield
    finally:
        _asking.reset(held)
        _seal.reset(sealed)
