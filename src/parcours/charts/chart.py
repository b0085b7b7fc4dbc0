"""What a picture is: an SVG and its table twin, both as text, made from rows alone."""

from __future__ import annotations

from typing import NamedTuple


class Chart(NamedTuple):
    """An SVG drawing and the HTML table that says the same; pure text, no script, no network."""

    svg: str
    table: str
