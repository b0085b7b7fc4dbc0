"""The styles and the script of the pages, each served as one file under a name that changes with it."""

from __future__ import annotations

import hashlib
from importlib.resources import files

SHEETS = (
    ("parcours.charts", "tokens.css"),
    ("parcours.workspaces.static", "base.css"),
    ("parcours.charts", "charts.css"),
    ("parcours.workspaces.static", "parts.css"),
)


def read_styles() -> str:
    """Return the four sheets, in the order in which they apply."""
    return "\n".join((files(package) / name).read_text("utf-8") for package, name in SHEETS)


def name_file(stem: str, ending: str, text: str) -> str:
    """Return the address of a file that is never another under the same name."""
    return f"/static/{stem}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{ending}"


STYLES = read_styles()
STYLES_PATH = name_file("parcours", "css", STYLES)
SCRIPT = (files("parcours.workspaces.static") / "live.js").read_text("utf-8")
SCRIPT_PATH = name_file("live", "js", SCRIPT)
