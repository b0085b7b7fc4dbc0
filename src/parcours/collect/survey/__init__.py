"""Voice at the source: signed links, the page that asks one question, and the answer as an event."""
