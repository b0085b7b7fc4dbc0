"""A firm with an account, made once: to hash a password takes long on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from firm import Firm
from starlette.testclient import TestClient

from parcours.know import Access
from parcours.settings import Settings
from parcours.workspaces.app import create_app

PHRASE = "le train part à midi pile"


@pytest.fixture(scope="session")
def with_ada(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Ada, who leads, can sign in."""
    folder = tmp_path_factory.mktemp("with-ada")
    access = Access(folder, Settings())
    access.add("cli", "ada", "cco", (), PHRASE, 0)
    access.audit.close()
    access.close()
    return folder


@pytest.fixture
def own(with_ada: Path, tmp_path: Path) -> Firm:
    """A firm of its own in which Ada can sign in."""
    return Firm(Path(shutil.copytree(with_ada, tmp_path / "own")))


@pytest.fixture
def access(own: Firm) -> Access:
    """Its accounts."""
    return Access(own.folder, Settings())


@pytest.fixture
def client(own: Firm) -> TestClient:
    """A browser on the loopback that follows no redirect and is not signed in."""
    return TestClient(create_app(own), "http://127.0.0.1", follow_redirects=False)
