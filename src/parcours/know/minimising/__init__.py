"""Minimisation: masks, retention, and the space of audience measurement that needs no consent."""
