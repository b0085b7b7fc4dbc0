"""The product's writer over a disk that fails as `PARCOURS_TEST_FAULTS` says."""

from __future__ import annotations

import os
from pathlib import Path

from tests.collect.journal.faulty_disk import Disk, FaultyVfs

from parcours.serving import writer

if __name__ == "__main__":
    VFS = FaultyVfs(Disk(Path(os.environ["PARCOURS_TEST_FAULTS"])))
    writer.main()
