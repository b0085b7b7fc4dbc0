"""The firm with known causes: a synthetic French retailer whose truths are written beside it."""

from parcours.simulate.firm import DEFAULT_CUSTOMERS, make

__all__ = ["DEFAULT_CUSTOMERS", "make"]
