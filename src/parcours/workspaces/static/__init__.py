"""The styles of the pages: four sheets served as one file under a name that changes with them."""

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


STYLES = read_styles()
STYLES_PATH = f"/static/parcours-{hashlib.sha256(STYLES.encode()).hexdigest()[:12]}.css"
