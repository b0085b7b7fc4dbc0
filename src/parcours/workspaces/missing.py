"""What a page raises when what its address names does not exist."""

from __future__ import annotations


class MissingError(Exception):
    """There is no such thing; ``key`` names the sentence that says so, ``figures`` fill it."""

    def __init__(self, key: str, **figures: str) -> None:
        super().__init__(key)
        self.key = key
        self.figures = figures
