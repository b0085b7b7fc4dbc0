"""The door: one file a command, imported when it is called."""
