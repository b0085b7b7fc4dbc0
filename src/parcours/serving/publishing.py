"""Publication: what was taken over is derived and measured beside the taking over, and shown when it is whole."""

from __future__ import annotations

import logging
import threading
import time

import msgspec

from parcours import flow
from parcours.collect import LoadReport
from parcours.company import Company
from parcours.errors import Fault, ParcoursError
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


class Publisher:
    """Publishes whenever rows, people or choices have changed; in a thread of its own, with a company of its own.

    Args:
        company: The company, open for nobody else.
        stopping: Set when it should stop.
    """

    def __init__(self, company: Company, stopping: threading.Event) -> None:
        self._company, self._stopping = company, stopping
        self._loaded: LoadReport | None = None
        self._version = ""
        self._not_before = 0.0
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self.published = Published()

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for it to end; a publication that takes longer is given up, and the one before stays."""
        self._thread.join(seconds)

    def follow(self, company: Company) -> None:
        """Take up a company whose files have changed."""
        with self._turn:
            self._company, self._version = company, ""

    def note(self, loaded: LoadReport) -> None:
        """Tell what was loaded from files, for the next report."""
        with self._turn:
            self._loaded = loaded

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            with self._turn:
                company, loaded = self._company, self._loaded
            # In a folder that was deleted nothing is made anew.
            if time.monotonic() < self._not_before or not (company.folder / ".parcours").is_dir():
                continue
            try:
                self._publish(company, loaded)
            except ParcoursError as error:
                LOG.error("nothing could be published", extra={"fields": {"code": error.code}})
                self._fail(error.faults[0])
            except Exception as error:
                LOG.exception("nothing could be published")
                self._fail(_unforeseen(error))

    def _fail(self, fault: Fault) -> None:
        self.published = msgspec.structs.replace(self.published, fault=fault)
        self._not_before = time.monotonic() + FAILED_PAUSE_S

    def _publish(self, company: Company, loaded: LoadReport | None) -> None:
        # Read before: what comes meanwhile is published the next time.
        version, batch_no = company.know.version, company.know.taken
        if version == self._version and loaded is None:
            if self.published.batch_no < batch_no:
                # What was taken over since gave no new rows.
                self.published = msgspec.structs.replace(self.published, batch_no=batch_no)
            return
        begun = time.monotonic()
        with span("publish"):
            report = flow.publish(company, begun, loaded)
        took_s = time.monotonic() - begun
        self._not_before = time.monotonic() + max(LEAST_PAUSE_S, took_s)
        with self._turn:
            if self._company is company:
                self._version = version
            if self._loaded is loaded:
                self._loaded = None
        self.published = Published(at_ms=report.finished_ms, batch_no=batch_no, seconds=round(took_s, 2))


def _unforeseen(error: Exception) -> Fault:
    return Fault(
        "publication_failed",
        Words(
            fr=f"Les mesures n'ont pas pu être faites ({type(error).__name__}) ; les pages montrent les précédentes.",
            en=f"The measures could not be made ({type(error).__name__}); the pages show those before.",
        ),
        Words(
            fr="Le journal du processus keeper, sur stderr, dit où ; elles sont tentées de nouveau sans cesse.",
            en="The log of the process keeper, on stderr, says where; they are tried again all the time.",
        ),
    )
