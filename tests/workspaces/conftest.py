"""The firm that pages are tested with."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from collected import CollectingFirm, declare, fill_journal
from firm import Firm


@pytest.fixture(scope="session")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A firm whose customers answered."""
    return Firm(tmp_path_factory.mktemp("firm"))


@pytest.fixture(scope="session")
def silent_firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A firm whose customers never answered."""
    return Firm(tmp_path_factory.mktemp("silent"), answered=False)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company folder whose journal holds two weeks; copy it before changing anything."""
    folder = tmp_path_factory.mktemp("filled")
    declare(folder)
    fill_journal(folder)
    return folder


@pytest.fixture
def company(filled: Path, tmp_path: Path) -> CollectingFirm:
    """A firm that collects, with events in quarantine."""
    return CollectingFirm(Path(shutil.copytree(filled, tmp_path / "company")))
