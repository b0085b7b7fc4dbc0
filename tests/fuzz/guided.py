"""Let coverage guide random bytes through one property: ``python -m tests.fuzz.guided NAME [SECONDS] [-FLAG=...]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["parcours.collect"], enable_loader_override=False):
    from tests.fuzz.properties import PROPERTIES, SEEDS


def main() -> None:
    """Fuzz one property from its seeds; a finding ends the process with a trace and a status that is not 0."""
    name, flags = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[name]):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], "-max_len=2048", *flags, corpus], PROPERTIES[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
