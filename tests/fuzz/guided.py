"""Let coverage guide random bytes through one property: ``python -m tests.fuzz.guided NAME [SECONDS] [-FLAG=...]``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

INSTRUMENTED = ["parcours.collect", "parcours.workspaces.signing_in", "parcours.know.identity.identifiers"]


def find_property(name: str) -> tuple[Callable[[bytes], None], tuple[bytes, ...]]:
    """Return a property and its seeds; what it reads is instrumented when it is imported, and nothing else is."""
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        from tests.fuzz.properties import PROPERTIES, SEEDS

        if name in PROPERTIES:
            return PROPERTIES[name], SEEDS[name]
        from tests.fuzz.entrances import ENTRANCE_SEEDS, ENTRANCES

        return ENTRANCES[name], ENTRANCE_SEEDS[name]


def main() -> None:
    """Fuzz one property from its seeds; a finding ends the process with a trace and a status that is not 0."""
    name, flags = sys.argv[1], sys.argv[2:]
    check, seeds = find_property(name)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], "-max_len=2048", *flags, corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
