"""What it means for the customer and the company: one module, one measure."""
