"""The firm with known causes: a synthetic French retailer whose truths are written beside it."""
