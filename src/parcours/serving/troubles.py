"""What keeps the processes of `serve` from their work at this moment, for pages to tell."""

from __future__ import annotations

import msgspec

from parcours.errors import Fault
from parcours.serving.keeper import Told
from parcours.serving.measurer import Published


def list_troubles(told: Told, published: Published, own: Fault | None = None) -> tuple[Fault, ...]:
    """Return each fault once: the main process's ``own``, those of the others, and what is due."""
    connected = [
        msgspec.convert(state["last_error"], Fault)
        for state in told.queues
        if state.get("failures") and state.get("last_error") is not None
    ]
    found = [fault for fault in (own, told.fault, *connected, published.fault, *told.due) if fault is not None]
    return tuple({(fault.code, str(fault.sentence), fault.place): fault for fault in found}.values())
