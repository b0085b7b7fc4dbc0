"""Pictures: rows in, `(svg, table)` out; used by pages, reports and notebooks alike."""
