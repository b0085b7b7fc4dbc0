"""The engines by their names, as `parcours.toml` gives them."""

from __future__ import annotations

from pathlib import Path

from parcours.engine.sql.clickhouse import ClickHouse
from parcours.engine.sql.duckdb import DuckDB
from parcours.engine.sql.step import Engine
from parcours.errors import ParcoursError
from parcours.words import Words

ENGINES = ("duckdb", "clickhouse")
"""What ``[engine] name`` may be."""


def open_engine(name: str, memory_mb: int = 1200, threads: int = 2, spill_folder: Path | None = None) -> Engine:
    """Return the engine called ``name``, bounded to ``memory_mb`` and ``threads``.

    Raises:
        ParcoursError: ``engine_unknown``, or ``engine_not_installed`` when its package is missing.
    """
    if name == "duckdb":
        return DuckDB(memory_mb, threads, spill_folder)
    if name == "clickhouse":
        return ClickHouse(memory_mb, threads)
    raise ParcoursError(
        "engine_unknown",
        Words(fr=f"Le moteur « {name} » n'existe pas.", en=f"There is no engine “{name}”."),
        Words(fr=f"Choisissez parmi {', '.join(ENGINES)}.", en=f"Choose one of {', '.join(ENGINES)}."),
    )
