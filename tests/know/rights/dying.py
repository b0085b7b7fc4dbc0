"""A process that erases somebody and is killed at one of the steps."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tests.know.rights.conftest import IDS, open_company

from parcours import flow
from parcours.know.rights.erasing import Erasing


def erase(folder: Path, step: str, when: str) -> None:
    """Erase the person in ``folder``; die ``before`` or ``after`` the work of ``step``, before it is noted as done."""
    plain = getattr(Erasing, step)

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying(self: Erasing, one: Any, body: Any) -> None:
        if when == "before":
            die()
        # The last thing that a step does is to note that it is done.
        self._erasures.advance = self._erasures.finish = die  # type: ignore[method-assign]
        if step == "_part":  # It also notes what it found, which must go through.
            noted = type(self._erasures).advance
            self._erasures.advance = lambda *told: die() if told[1] == "parted" else noted(self._erasures, *told)  # type: ignore[method-assign]
        plain(self, one, body)
        die()

    setattr(Erasing, step, dying)
    flow.forget(open_company(folder), f"mail:{IDS['mail']}", "cli")
