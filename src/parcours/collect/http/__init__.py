"""Collection over HTTP: Segment's tracking contract, the survey pages, and what tells how the collector does."""
