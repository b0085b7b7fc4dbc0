"""A process that `serve` starts, listens to and starts again: it stops when its standard input ends."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

LOG = logging.getLogger(__name__)
LEAST_PAUSE_S, MOST_PAUSE_S = 0.2, 10.0


class Child:
    """One process: ``python -m MODULE ARGUMENTS``.

    Args:
        module: What to run.
        arguments: What it is told on its command line; never a secret.
        hear: Called with each line that it prints.
        pass_fds: Handles that it inherits.
        greet: Called with the child each time it has started, to tell it what it must know.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        hear: Callable[[bytes], None] = lambda _: None,
        pass_fds: Sequence[int] = (),
        greet: Callable[[Child], None] = lambda _: None,
    ) -> None:
        self.module = module
        # Without the current folder: a file in it must not stand in for a library.
        self._command = [sys.executable, "-P", "-m", module, *arguments]
        self._hear, self._pass_fds, self._greet = hear, tuple(pass_fds), greet
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._not_before = 0.0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The number of the process, while there is one."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own modules
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=self._pass_fds
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        self._started = time.monotonic()
        self._greet(self)

    def look(self) -> bool:
        """Start it again when it has ended by itself, each time a little later; return whether it was."""
        if self.alive or time.monotonic() < self._not_before:
            return False
        if self._process is not None:
            status = self._process.returncode
            LOG.warning("%s ended with %s and is started again", self.module, status)
            self._failures = 0 if time.monotonic() - self._started > 60 else self._failures + 1
            self._not_before = time.monotonic() + min(MOST_PAUSE_S, LEAST_PAUSE_S * 2**self._failures)
            self.restarts += 1
        self.start()
        return True

    def tell(self, line: bytes) -> None:
        """Send it a line; one that has just ended hears it when it is started again."""
        if self._process and self._process.stdin:
            with suppress(OSError, ValueError):
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def ask_to_stop(self) -> None:
        """End its standard input: it finishes what is under way."""
        if self._process and self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; one that does not is killed, and loses nothing that was acknowledged."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            LOG.warning("%s did not stop within %.0f s and is killed", self.module, seconds)
            self._process.kill()
            self._process.wait()
            return False
        return True

    def end(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        for line in process.stdout or ():
            try:
                self._hear(line)
            except Exception:
                # Nobody else reads the pipe: one line that cannot be understood must not fill it.
                LOG.exception("%s said what could not be understood", self.module)
