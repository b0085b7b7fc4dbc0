"""The shop as `parcours serve` serves it, for the tests of what its operator sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boutique import make_company
from tests.served import Served, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the shop, compacted three times a second."""
    make_company(tmp_path / "shop", settings="[collect]\nevery_s = 0.3\n")
    return tmp_path / "shop"


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    """The shop, served."""
    with serving(folder) as one:
        yield one
