"""`parcours serve` as a whole: collection started, pages served until a signal, and everything stopped in order."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType

from starlette.routing import Route

from parcours import company as companies
from parcours.collect.connectors.http import HTTP
from parcours.collect.write_keys import make_write_key
from parcours.company import Company
from parcours.serving.feed import Feed
from parcours.serving.interfaces import list_interfaces, make_reader
from parcours.serving.read_back import ReadBack
from parcours.serving.supervisor import Supervisor
from parcours.simulate.visitors import VARIABLE
from parcours.workspaces.app import serve as serve_pages

LOG = logging.getLogger(__name__)


def serve(
    company: Company,
    host: str,
    port: int,
    collect: tuple[str, int] | None,
    visitors: int = 0,
    read_back_token: str = "",
    announce: Callable[[int | None], object] = lambda _: None,
) -> None:
    """Serve the pages on ``host``:``port`` and, when given, collection on its own address, until stopped.

    With ``visitors`` so many simulated customers come by, one after the other, as long as this runs. With
    ``read_back_token`` whoever has it may read back what was accepted in the last minutes. ``announce`` is called once
    events are taken, with the port of collection.

    Raises:
        ParcoursError: what keeps collection from starting, or ended it.
    """

    def reopen() -> Company:
        return companies.open(company.folder, follow=collect is not None)

    feed: Feed | None = None
    more: list[Route] = []
    signal.signal(signal.SIGTERM, _stop)
    supervisor = Supervisor(company, *collect) if collect else None
    guests: subprocess.Popen[bytes] | None = None
    try:
        if supervisor:
            supervisor.start()
            announce(supervisor.port)
            guests = invite(company, supervisor.port, visitors) if visitors else None
            kept = ReadBack() if read_back_token else None
            feed = Feed(company, lambda: supervisor.told, kept)
            feed.start()
            reader = make_reader(read_back_token, kept, feed.catch_up) if kept else None
            more = list_interfaces(feed.take, lambda: supervisor.ready, supervisor.write_metrics, reader)
        else:
            announce(None)
        serve_pages(company, host, port, reopen, feed, more)
    except KeyboardInterrupt:
        pass
    finally:
        if guests:
            guests.terminate()
            guests.wait()
        if feed:
            feed.stop()
        if supervisor:
            supervisor.stop()
    if supervisor and supervisor.fault:
        raise supervisor.fault


def invite(company: Company, port: int, visitors: int) -> subprocess.Popen[bytes] | None:
    """Start the simulated visitors, who send through Segment's SDK with a key of their own.

    Where the SDK is not installed (extra ``demo``) nobody comes, and the demo is otherwise the same.
    """
    if find_spec("segment") is None:
        LOG.warning("no simulated visitors: pip install parcours[demo]")
        return None
    live = next(one.source for one in company.sources if one.source.connector == HTTP)
    environment = {**os.environ, VARIABLE: make_write_key(company.folder, live)}
    command = [sys.executable, "-m", "parcours.simulate.visitors", f"http://127.0.0.1:{port}", str(visitors), "2"]
    return subprocess.Popen(command, env=environment)  # noqa: S603 - our own interpreter, our own module


def _stop(_: int, __: FrameType | None) -> None:
    """End as Ctrl-C does: with everything put away."""
    raise KeyboardInterrupt
