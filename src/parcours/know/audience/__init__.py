"""The space of audience measurement that needs no consent: its own keys and files, and nothing that joins the rest."""
