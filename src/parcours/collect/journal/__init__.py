"""From an accepted request to durable bytes: deliveries, their seal, and the hand-over to the one writer."""
