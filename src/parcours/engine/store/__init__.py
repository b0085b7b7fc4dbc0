"""Where rows lie: immutable Parquet parts, their manifest, derived tables and the SQLite files."""
