"""The seven steps of customer experience as code."""
