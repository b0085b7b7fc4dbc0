"""`parcours serve` as a whole: collection started, pages served until a signal, and everything stopped in order."""

from __future__ import annotations

import signal
from types import FrameType

from parcours import company as companies
from parcours.company import Company
from parcours.serving.supervisor import Supervisor
from parcours.workspaces.app import serve as serve_pages


def serve(company: Company, host: str, port: int, collect: tuple[str, int] | None) -> None:
    """Serve the pages on ``host``:``port`` and, when given, collection on its own address, until stopped.

    Raises:
        ParcoursError: what keeps collection from starting.
    """
    follow = collect is not None
    signal.signal(signal.SIGTERM, _stop)
    supervisor = Supervisor(company, *collect) if collect else None
    try:
        if supervisor:
            supervisor.start()
        serve_pages(company, host, port, lambda: companies.open(company.folder, follow))
    except KeyboardInterrupt:
        pass
    finally:
        if supervisor:
            supervisor.stop()


def _stop(_: int, __: FrameType | None) -> None:
    """End as Ctrl-C does: with everything put away."""
    raise KeyboardInterrupt
