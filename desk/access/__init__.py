"""Decide who may use the desk: accounts, sessions, roles, attempts to sign in, and the audit log."""
