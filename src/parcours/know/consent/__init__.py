"""What they allow: every recorded choice, and what it says of an event."""
