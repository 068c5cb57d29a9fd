"""Who may see and do what at the desk: accounts, sessions, roles, attempts to sign in, the log of decisions."""
