"""The next best experience for one customer; this step is not built yet."""
