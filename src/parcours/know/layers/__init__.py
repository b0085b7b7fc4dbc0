"""Layers: households and companies that people belong to, beside identity and never a reason for it."""
