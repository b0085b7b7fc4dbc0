"""The measurer of `serve`: derives and measures what was taken over, in its own time, and shows it when it is whole."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from parcours import company as companies
from parcours import flow
from parcours.collect import LoadReport
from parcours.company import Company
from parcours.errors import Fault, ParcoursError
from parcours.serving.logs import log_as_json
from parcours.serving.memory import give_back, use_plain_memory
from parcours.serving.orders import read_lines
from parcours.serving.telling import Teller
from parcours.telemetry import span
from parcours.words import Words

LOG = logging.getLogger(__name__)
LOOK_S = 1.0
LEAST_PAUSE_S = 5.0
"""Between two publications at least this long, and at least as long as the last one took."""

FAILED_PAUSE_S = 30.0


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The last publication: when, up to which batch of the journal, how long it took; and what keeps from the next."""

    at_ms: int = 0
    batch_no: int = 0
    seconds: float = 0.0
    fault: Fault | None = None


class Measurer:
    """Publishes whenever rows, people or choices have changed.

    Nothing of it needs the company lock: what it reads stays while it is read, and what it makes is seen when it is
    whole.

    Args:
        folder: The company folder.
        tell: Called with each change of what is published.
    """

    def __init__(self, folder: Path, tell: Callable[[Published], object]) -> None:
        self._folder, self._tell = folder, tell
        self._company: Company | None = None
        self._declared: tuple[int, ...] = ()
        self._loaded: LoadReport | None = None
        self._version = ""
        self._not_before = 0.0
        self._published = Published()

    def note(self, line: bytes) -> None:
        """Hear what was loaded from files, for the next report."""
        self._loaded = msgspec.json.decode(line, type=LoadReport)

    def run(self, stopping: threading.Event) -> None:
        """Publish until asked to stop."""
        while not stopping.wait(LOOK_S):
            # In a folder that was deleted nothing is made anew.
            if time.monotonic() < self._not_before or not (self._folder / ".parcours").is_dir():
                continue
            try:
                self._follow()
                if self._company is not None:
                    self._publish(self._company)
            except ParcoursError as error:
                LOG.error("nothing could be published", extra={"fields": {"code": error.code}})
                self._fail(error.faults[0])
            except Exception as error:
                LOG.exception("nothing could be published")
                self._fail(_unforeseen(error))

    def _follow(self) -> None:
        """Take up a blueprint or settings that have changed; with a fault in them, which the keeper tells, keep on."""
        stamp = companies.declared_stamp(self._folder)
        if stamp == self._declared:
            return
        self._declared = stamp
        try:
            self._company, self._version = companies.open(self._folder), ""
        except ParcoursError as error:
            LOG.warning("the company stays as it was", extra={"fields": {"code": error.code}})

    def _publish(self, company: Company) -> None:
        # Read before: what comes meanwhile is published the next time.
        version, batch_no, loaded = company.know.version, company.know.taken, self._loaded
        if version == self._version and loaded is None:
            if self._published.batch_no < batch_no:
                # What was taken over since gave no new rows.
                self._say(msgspec.structs.replace(self._published, batch_no=batch_no))
            return
        begun = time.monotonic()
        with span("publish"):
            report = flow.publish(company, begun, loaded)
            flow.publish_groups(company)
        give_back()
        took_s = time.monotonic() - begun
        self._not_before = time.monotonic() + max(LEAST_PAUSE_S, took_s)
        self._version = version
        if self._loaded is loaded:
            self._loaded = None
        self._say(Published(at_ms=report.finished_ms, batch_no=batch_no, seconds=round(took_s, 2)))
        LOG.info("published", extra={"fields": {"events": report.events, "seconds": round(took_s, 2)}})

    def _fail(self, fault: Fault) -> None:
        self._not_before = time.monotonic() + FAILED_PAUSE_S
        self._say(msgspec.structs.replace(self._published, fault=fault))

    def _say(self, published: Published) -> None:
        self._published = published
        self._tell(published)


def _unforeseen(error: Exception) -> Fault:
    return Fault(
        "publication_failed",
        Words(
            fr=f"Les mesures n'ont pas pu être faites ({type(error).__name__}) ; les pages montrent les précédentes.",
            en=f"The measures could not be made ({type(error).__name__}); the pages show those before.",
        ),
        Words(
            fr="Le journal du processus measurer, sur stderr, dit où ; elles sont tentées de nouveau sans cesse.",
            en="The log of the process measurer, on stderr, says where; they are tried again all the time.",
        ),
    )


def main() -> None:
    """Run the measurer of the company ``FOLDER``."""
    log_as_json("measurer")
    use_plain_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Measures may come later; what was accepted must not wait for them.
    os.nice(15)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    teller = Teller(sys.stdout.fileno())
    measurer = Measurer(Path(sys.argv[1]), lambda published: teller.tell(msgspec.json.encode(published) + b"\n"))

    def listen() -> None:
        for line in read_lines():
            measurer.note(line)
        stopping.set()

    threading.Thread(target=listen, daemon=True).start()
    measurer.run(stopping)


if __name__ == "__main__":
    main()
