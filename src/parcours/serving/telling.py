"""What a process tells the one that started it: whole lines down a pipe, never waiting for them to be read."""

from __future__ import annotations

import os


class Teller:
    """The writing end: a line that finds the pipe full is left out, for the next one says all of it anew.

    Args:
        handle: The pipe.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._unsent = b""
        os.set_blocking(handle, False)

    def tell(self, line: bytes) -> bool:
        """Send a line if there is room; return whether anybody may still read it."""
        try:
            if self._unsent:
                self._unsent = self._unsent[os.write(self._handle, self._unsent) :]
            if not self._unsent:
                self._unsent = line[os.write(self._handle, line) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True
