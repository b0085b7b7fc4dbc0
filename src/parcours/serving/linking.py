"""Linking at set times: a batch in a process of its own whenever `link.every` of the blueprint has passed."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

from parcours.company import Company

LOG = logging.getLogger(__name__)
PATIENCE_S = 10.0
"""How long a batch under way may take to end when everything stops; it keeps nothing before it is whole."""


class Linker:
    """Begins a batch of one company when one is due, and notes how it ended.

    A batch takes seconds to minutes and memory of its own: it is what ``parcours link`` is, with nobody waiting for it.

    Args:
        folder: The company folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._not_before_ms = 0

    def look(self, company: Company) -> None:
        """Note how a batch ended, and begin the next one when it is due; nothing is waited for."""
        if self._process is not None and self._process.poll() is not None:
            self._note_end(*self._process.communicate())
        link = company.blueprint.link
        now_ms = time.time_ns() // 1_000_000
        if self._process is not None or link is None or link.every_ms is None or now_ms < self._not_before_ms:
            return
        last = company.know.linkage().last
        # Somebody else may have had it done meanwhile.
        due_ms = last.at_ms + link.every_ms if last else 0
        if not company.know.is_loaded or now_ms < due_ms:
            self._not_before_ms = due_ms
            return
        # One that fails is not tried again at once: what it lacks, a person must mend.
        self._not_before_ms = now_ms + link.every_ms
        command = [sys.executable, "-P", "-m", "parcours", "link", str(self._folder), "--json", "--quiet"]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def stop(self) -> None:
        """End a batch under way."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _note_end(self, said: str, wrong: str) -> None:
        assert self._process is not None  # noqa: S101
        status, self._process = self._process.returncode, None
        if status == 0:
            LOG.info("linked", extra={"fields": json.loads(said)})
        else:
            lines = wrong.strip().splitlines()
            LOG.error("nobody was linked", extra={"fields": {"status": status, "why": lines[0] if lines else ""}})
