"""The product's worker with a clock that is as many seconds off as `PARCOURS_TEST_CLOCK` says."""

from __future__ import annotations

import os
import time
from pathlib import Path

from parcours.serving import worker

_true_ns = time.time_ns


def tell_time_ns() -> int:
    """Return the present, shifted."""
    return _true_ns() + int(Path(os.environ["PARCOURS_TEST_CLOCK"]).read_text()) * 1_000_000_000


if __name__ == "__main__":
    time.time_ns = tell_time_ns
    worker.main()
