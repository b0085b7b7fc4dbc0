"""The product's worker with less patience, so that tests need not wait as long as clients may."""

from __future__ import annotations

from parcours.collect.http import intake, patience, server
from parcours.collect.journal import handover
from parcours.serving import worker

if __name__ == "__main__":
    patience.HEADERS_S = 1.0
    patience.LINGER_S = 1.0
    patience.UNREAD_S = 1.0
    intake.BODY_S = 1.5
    server.SWEEP_S = 0.1
    handover.Handover.__init__.__defaults__ = (1.0,)
    worker.main()
