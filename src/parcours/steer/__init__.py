"""How leaders run it: initiatives, portfolio, maturity; this step is not built yet."""
