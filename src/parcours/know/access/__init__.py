"""Who may do what: roles, the one table of permissions, and what small groups are kept out of sight."""
