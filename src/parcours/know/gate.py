"""The gate: no purpose or no basis, no rows."""

from __future__ import annotations


class Permitted:
    """What one purpose may see."""
