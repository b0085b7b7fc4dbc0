"""The gate: what each purpose may see, decided at the door, at a reading, at a look-up and at an export."""
