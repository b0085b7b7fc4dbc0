"""What the guide shows is run as it stands there, against the template that its reader starts from."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.clients.collecting import Collector
from tests.clients.driving import INSTALLED, ROOT
from tests.clients.firm import SOURCE
from tests.clients.scene import client_named, why_absent

GUIDE = (ROOT / "docs" / "guides" / "collect-live-events.md").read_text("utf-8")
SNIPPETS = dict(
    re.findall(r"^\*\*([^*\n]+?)\.?\*\*(?:(?!^\*\*|^```).)*^```(?:python|js)\n(.*?)^```", GUIDE, re.M | re.S)
)
CLIENTS = {
    "Segment, Python": "segment-python-batch",
    "Segment, Node": "segment-node-batch",
    "RudderStack, Python": "rudder-python-gzip",
    "RudderStack, Node": "rudder-node-gzip",
    "Jitsu": "jitsu-node-device",
}
"""The snippets that are run, and the client that each shows; the browser's has a page of its own in `drivers/`."""

ORDER = {
    "name": "Order Completed",
    "id_user": "42",
    "object_order": "O-1",
    "field_order_value": 59.9,
    "consent_personalise": True,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """The company of the template `retail`, with a source for each snippet."""
    folder = tmp_path_factory.mktemp("guide") / "acme"
    shutil.copytree(ROOT / "examples" / "retail", folder, ignore=shutil.ignore_patterns(".parcours"))
    for label in CLIENTS.values():
        client = client_named(label)
        text = SOURCE.format(source=client.source, sdk=client.sdk)
        (folder / "sources" / f"{client.source}.yaml").write_text(text, "utf-8")
    collector = Collector(folder)
    collector.start()
    yield collector
    collector.kill()


@pytest.fixture(scope="module")
def running(shop: Collector, tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.Popen[str]]:
    """Every snippet, in a process of its own, with the key of its source and the collector's address."""
    place = tmp_path_factory.mktemp("snippets")
    (place / "node_modules").symlink_to(INSTALLED / "node_modules")
    started = {}
    for title, label in CLIENTS.items():
        client = client_named(label)
        if why_absent(client) is None:
            text = SNIPPETS[title].replace("WRITE_KEY", shop.keys[client.source])
            path = place / f"{label}{'.py' if 'Python' in title else '.mjs'}"
            path.write_text(text.replace("127.0.0.1:8601", f"127.0.0.1:{shop.port}"), "utf-8")
            command = [sys.executable if path.suffix == ".py" else "node", str(path)]
            started[title] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return started


def test_every_snippet_is_run_or_has_a_page_of_its_own() -> None:
    assert set(SNIPPETS) == {*CLIENTS, "Segment, browser"}


@pytest.mark.parametrize("title", CLIENTS)
def test_a_snippet_does_what_the_guide_says(
    title: str, running: dict[str, subprocess.Popen[str]], shop: Collector
) -> None:
    client = client_named(CLIENTS[title])
    if reason := why_absent(client):
        pytest.skip(f"the snippet “{title}” WAS NOT RUN: {reason}")
    told, _ = running[title].communicate(timeout=60)
    assert (running[title].returncode, told) == (0, "")
    read = shop.read()
    assert [bad.reason for bad in read.bad if bad.source == client.source] == []
    rows = [row for row in read.events.to_pylist() if row["source"] == client.source]
    orders = [row for row in rows if row["name"] == ORDER["name"]]
    assert [{**row, **ORDER} for row in orders] == orders
    assert len(orders) == 1
