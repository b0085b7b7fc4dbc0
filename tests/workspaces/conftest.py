"""The firm that pages are tested with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from firm import Firm


@pytest.fixture(scope="session")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A firm whose customers answered."""
    return Firm(tmp_path_factory.mktemp("firm"))


@pytest.fixture(scope="session")
def silent_firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A firm whose customers never answered."""
    return Firm(tmp_path_factory.mktemp("silent"), answered=False)
