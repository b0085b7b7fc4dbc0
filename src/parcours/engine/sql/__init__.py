"""Named SQL steps, written once in a DuckDB-flavoured subset and rendered for every engine."""
