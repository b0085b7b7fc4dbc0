"""Connectors: what brings events in from elsewhere, and what carries them out, behind one interface."""
