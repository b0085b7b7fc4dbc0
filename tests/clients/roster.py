"""The six clients, unchanged from PyPI and npm: how each is run, what it has, and what it does when it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from tests.clients.driving import browser_command, node_command, python_command

ALL = ("identify", "track", "dated", "page", "screen", "group", "alias")
JITSU = ("identify", "track", "page", "group")
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@dataclass(frozen=True)
class Client:
    """One client in one mode.

    Attributes:
        label: What tests and documentation call it.
        package, version: What is installed.
        sdk: The kind of its source.
        driver: The process that runs it; those in a browser share one.
        mode: How it is set up, see its driver.
        calls: The calls that it has, by their name in `calls.CALLS`.
        retries: Whether it sends again what failed.
        waits_on: The statuses after which it waits as long as ``Retry-After`` says.
    """

    label: str
    package: str
    version: str
    sdk: str
    driver: str
    mode: str
    calls: tuple[str, ...] = ALL
    retries: bool = True
    waits_on: tuple[int, ...] = ()

    @property
    def source(self) -> str:
        """The source that it sends to."""
        return self.label.replace("-", "_")

    @property
    def in_browser(self) -> bool:
        """Whether it runs in a page."""
        return self.driver == "chromium"


_PYTHON = ("segment-analytics-python", "2.4.0", "segment", "segment python")
_NODE = ("@segment/analytics-node", "3.1.0", "segment", "segment node")
_NEXT = ("@segment/analytics-next", "1.84.3", "segment", "chromium")
_RUDDER_PYTHON = ("rudder-sdk-python", "2.1.9", "rudderstack", "rudder python")
_RUDDER_NODE = ("@rudderstack/rudder-sdk-node", "3.0.13", "rudderstack", "rudder node")
_JITSU = ("@jitsu/js", "1.11.0", "jitsu", "jitsu node")
_JITSU_PAGE = ("@jitsu/js", "1.11.0", "jitsu", "chromium")

CLIENTS = (
    Client("segment-python-batch", *_PYTHON, "batch", waits_on=(429, 503)),
    Client("segment-python-gzip", *_PYTHON, "gzip", waits_on=(429, 503)),
    Client("segment-python-single", *_PYTHON, "single", retries=False),
    Client("segment-node-batch", *_NODE, "batch", waits_on=(429,)),
    Client("segment-node-single", *_NODE, "single", waits_on=(429,)),
    Client("segment-browser-single", *_NEXT, "single", waits_on=(429,)),
    Client("segment-browser-batch", *_NEXT, "batch", waits_on=(429,)),
    Client("segment-browser-inline", *_NEXT, "inline", waits_on=(429,)),
    Client("rudder-python-gzip", *_RUDDER_PYTHON, "batch"),
    Client("rudder-python-plain", *_RUDDER_PYTHON, "plain"),
    Client("rudder-python-single", *_RUDDER_PYTHON, "single", retries=False),
    Client("rudder-node-gzip", *_RUDDER_NODE, "batch", waits_on=(429, 503)),
    Client("rudder-node-plain", *_RUDDER_NODE, "plain", waits_on=(429, 503)),
    Client("rudder-node-single", *_RUDDER_NODE, "single", waits_on=(429, 503)),
    Client("jitsu-node-device", *_JITSU, "device", JITSU, retries=False),
    Client("jitsu-node-server", *_JITSU, "server", JITSU, retries=False),
    Client("jitsu-browser", *_JITSU_PAGE, "jitsu", JITSU, retries=False),
)

DRIVERS: dict[str, tuple[list[str], int]] = {
    "segment python": (python_command("segment"), 37 * MINUTE_MS),
    "segment node": (node_command("segment_node.js"), -3 * HOUR_MS),
    # More than a day ahead, and the client would fail to remove its own cookies.
    "chromium": (browser_command(), 5 * HOUR_MS),
    "rudder python": (python_command("rudderstack"), -26 * HOUR_MS),
    "rudder node": (node_command("rudder_node.js"), 90_000),
    "jitsu node": (node_command("jitsu_node.mjs"), -11 * MINUTE_MS),
}
"""How each process is started, and by how much its clock is wrong."""
