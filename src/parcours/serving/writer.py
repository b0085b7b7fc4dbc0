"""The writer of `serve`: the one process that appends to the journal; `serve` alone starts it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

from parcours.collect.journal.opening import journal_opener
from parcours.collect.journal.writer import Writer
from parcours.errors import ParcoursError
from parcours.serving.logs import log_as_json
from parcours.serving.orders import read_lines

LOG = logging.getLogger(__name__)


def main() -> None:
    """Run the writer: the company ``FOLDER`` and the path of its ``SOCKET``."""
    run_writer(Path(sys.argv[1]), Path(sys.argv[2]))


def run_writer(folder: Path, address: Path) -> None:
    """Write what comes through ``address`` into the journal of ``folder`` until told to stop."""
    log_as_json("writer")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threading.Thread(target=_wait_for_end, args=(stopping,), daemon=True).start()
    writer = Writer(address, journal_opener(folder))
    try:
        writer.listen()
    except ParcoursError as fault:
        LOG.critical("the journal cannot be opened", extra={"fields": {"code": fault.code}})
        sys.exit(1)
    print("listening", flush=True)
    writer.run(stopping.is_set)


def _wait_for_end(stopping: threading.Event) -> None:
    """Stop when whoever started us has gone: their end of our standard input then closes."""
    for _ in read_lines():
        pass
    stopping.set()


if __name__ == "__main__":
    main()
