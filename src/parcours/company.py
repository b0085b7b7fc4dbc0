"""One company folder, opened: its blueprint, its settings and what can be asked of it."""
