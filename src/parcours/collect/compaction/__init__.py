"""From batches to parts: each delivery once, checked against what is declared, through the door, and made compact."""
