"""Who asks to be erased: `erasure-requests.txt`, one identifier a line, as customer service would list them."""

from __future__ import annotations

from pathlib import Path

from parcours.simulate.muddle import Muddle
from parcours.simulate.people import name_ids

FILE = "erasure-requests.txt"


def write_requests(folder: Path, muddle: Muddle) -> None:
    """Write the accounts of those who ask."""
    lines = [f"user:{account}\n" for account in name_ids("C", muddle.forgotten).to_pylist()]
    (folder / FILE).write_text("".join(lines), "utf-8")
