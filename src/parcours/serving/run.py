"""`parcours serve` as a whole: collection started, pages served until a signal, and everything stopped in order."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from types import FrameType

from parcours import company as companies
from parcours.company import Company
from parcours.serving.feed import Feed
from parcours.serving.interfaces import list_interfaces, make_reader
from parcours.serving.logs import log_as_json
from parcours.serving.memory import use_plain_memory
from parcours.serving.read_back import ReadBack
from parcours.serving.supervisor import Supervisor
from parcours.workspaces.app import serve as serve_pages
from parcours.workspaces.opendsr import list_opendsr_routes
from parcours.workspaces.signing_in.guard import GuardedRoute

Invite = Callable[[Company, int], "subprocess.Popen[bytes] | None"]


def serve(
    company: Company,
    host: str,
    port: int,
    collect: tuple[str, int] | None,
    invite: Invite | None = None,
    read_back_token: str = "",
    announce: Callable[[int | None], object] = lambda _: None,
) -> None:
    """Serve the pages on ``host``:``port`` and, when given, collection on its own address, until stopped.

    ``invite`` starts whoever sends events as long as this runs, given the company and the port of collection. With
    ``read_back_token`` whoever has it may read back what was accepted in the last minutes. ``announce`` is called once
    events are taken, with the port of collection.

    Raises:
        ParcoursError: what keeps collection from starting, or ended it.
    """

    def reopen() -> Company:
        return follow_troubles(companies.open(company.folder, follow=collect is not None))

    def follow_troubles(one: Company) -> Company:
        if supervisor:
            one.troubles = supervisor.troubles
        return one

    feed: Feed | None = None
    more: list[GuardedRoute] = list_opendsr_routes(company.blueprint.company.id, lambda: company.know.opendsr)
    signal.signal(signal.SIGTERM, _stop)
    if collect:
        log_as_json("main")
        use_plain_memory()
    supervisor = Supervisor(company, *collect) if collect else None
    guests: subprocess.Popen[bytes] | None = None
    try:
        if supervisor:
            supervisor.start()
            announce(supervisor.port)
            guests = invite(company, supervisor.port) if invite else None
            kept = ReadBack() if read_back_token else None
            feed = Feed(company, lambda: (supervisor.told, supervisor.published), kept)
            feed.start()
            reader = make_reader(read_back_token, kept, feed.take, feed.catch_up) if kept else None
            more += list_interfaces(feed.take, lambda: supervisor.ready, supervisor.write_metrics, reader)
        else:
            announce(None)
        serve_pages(follow_troubles(company), host, port, reopen, feed, more)
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


def _stop(_: int, __: FrameType | None) -> None:
    """End as Ctrl-C does: with everything put away."""
    raise KeyboardInterrupt
