"""Access to the desk: accounts, sessions, roles, attempts to sign in, and the audit log."""
