"""How questions are asked and where rows lie; not a word about customers."""
