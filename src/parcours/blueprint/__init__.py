"""What we promise: the service blueprint as records, its reading, its rules and its exchange formats."""
