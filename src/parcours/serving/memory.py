"""Memory of the long-lived processes: what a piece of work needed goes back to the system when it is done."""

from __future__ import annotations

import pyarrow as pa


def use_plain_memory() -> None:
    """Let Arrow take its memory where Python does; an allocator of its own keeps what it has once had."""
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Return what is free to the system: some milliseconds, after work that takes seconds."""
    pa.default_memory_pool().release_unused()
