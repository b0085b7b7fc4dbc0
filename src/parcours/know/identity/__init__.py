"""Who it is: identifiers made comparable, what was seen together, and the fold of it into people."""
