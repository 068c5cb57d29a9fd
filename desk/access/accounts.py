"""Keep the desk's local accounts: names, roles and passwords (Argon2id), in one file.

Only the desk's own user of the operating system can read the file.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import ValidationError

from desk.access.roles import Person, Role
from packshot.errors import ConfigError
from packshot.handoff.people import plain_name, same_person
from packshot.types import Value

FEWEST_CHARACTERS, MOST_CHARACTERS = 12, 1000
"""Length of a password."""
LONGEST_NAME = 100
_AT_ONCE = threading.BoundedSemaphore(2)
"""Passwords that are checked at the same time. Each check takes 64 MiB for a moment."""
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))
"""Checked when no account has the name, so that the time of an answer doesn't say which names there are."""


class Account(Value):
    """One person's account at the desk.

    Attributes:
        name: the person's name, as the records of their decisions show it.
        roles: what the person may do at the desk; at least one.
        password: its Argon2id hash, in the PHC string form. If empty, only a reverse proxy can sign this person in.
    """

    name: str
    roles: frozenset[Role]
    password: str

    @property
    def person(self) -> Person:
        """The person whose account it is, with the account's roles."""
        return Person(name=self.name, roles=self.roles)


class Accounts:
    """The accounts of the desk, in a file.

    A change of the file takes effect at once, also for people who are signed in. Each method reads the file again if
    it has changed, and raises a ConfigError if it can't be read.
    """

    def __init__(self, path: Path) -> None:
        """Use a file; it need not exist yet."""
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._accounts: tuple[Account, ...] = ()

    def all(self) -> tuple[Account, ...]:
        """Return all accounts, as the file has them now; an empty tuple if there is no file.

        Raises:
            ConfigError: the file can't be read.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._seen, self._accounts = None, ()
            return ()
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            self._accounts, self._seen = self._read(), seen
        return self._accounts

    def find(self, name: str) -> Account | None:
        """Return the account with a name; None if there is none.

        Args:
            name: the person's name. Case, accents and blanks don't matter.

        Raises:
            ConfigError: the file of the accounts can't be read.
        """
        wanted = plain_name(name)
        return next((one for one in self.all() if plain_name(one.name) == wanted), None)

    def sign_in(self, name: str, password: str) -> Account | None:
        """Return the account if name and password are right, else None. An account without a password gives None too.

        The time taken doesn't tell whether there is an account of this name.

        Args:
            name: the person's name. Case, accents and blanks don't matter.
            password: the password that the person typed.

        Raises:
            ConfigError: the file of the accounts can't be read.
        """
        account = self.find(name)
        hashed = account.password if account and account.password else _NOBODY
        with _AT_ONCE:
            try:
                _HASHER.verify(hashed, password[: MOST_CHARACTERS + 1])
            except (VerificationError, InvalidHashError):
                return None
        return account if account and account.password else None

    def add(self, name: str, roles: Iterable[Role], password: str | None) -> Account:
        """Add an account to the file, or replace the one of exactly the same name; return the new account.

        Args:
            name: the person's name, as records of decisions will show it: 2 to 100 visible characters, with letters.
            roles: what the person may do; at least one.
            password: 12 to 1,000 characters. With None, only a reverse proxy can sign this person in.

        Raises:
            ConfigError: the name or the password can't be used, there is no role, the file can't be read, or another
                account's name differs only in case, accents, spaces, punctuation or the order of its words.
        """
        shown = " ".join(name.split())
        given = frozenset(roles)
        if not given:
            raise self._wrong("an account needs a role", shown, allowed=", ".join(Role))
        if len(plain_name(shown)) < 2 or len(shown) > LONGEST_NAME or not shown.isprintable():
            raise self._wrong(
                "this name cannot be used",
                shown,
                allowed=f"2 to {LONGEST_NAME} visible characters, with letters",
            )
        twin = next((one for one in self.all() if one.name != shown and same_person(one.name, shown)), None)
        if twin:
            raise self._wrong(f"this name looks like '{twin.name}'", shown, allowed="names that nobody mixes up")
        if password is not None and not FEWEST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            allowed = f"{FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters"
            raise self._wrong("this password cannot be used", f"{len(password)} characters", allowed=allowed)
        account = Account(name=shown, roles=given, password="" if password is None else _HASHER.hash(password))
        self._write([*(one for one in self.all() if one.name != shown), account])
        return account

    def remove(self, name: str) -> Account:
        """Remove an account from the file, and return it. A person who uses it is signed out.

        Args:
            name: the person's name. Case, accents and blanks don't matter.

        Raises:
            ConfigError: there is no account of this name, or the file can't be read.
        """
        account = self.find(name)
        if account is None:
            names = ", ".join(one.name for one in self.all()) or "none"
            raise self._wrong("there is no such account", name, allowed=names)
        self._write([one for one in self.all() if one != account])
        return account

    def _read(self) -> tuple[Account, ...]:
        try:
            found = json.loads(self._path.read_text())
            return tuple(Account.model_validate(one) for one in found["accounts"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise ConfigError(
                "the file of the desk's accounts cannot be read",
                str(self._path),
                found=type(error).__name__,
                next_step="Restore it, or remove it and add the accounts again: packshot desk add-user.",
            ) from error

    def _write(self, accounts: Iterable[Account]) -> None:
        """Replace the file in one step; only this user can read it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        plain = [
            {"name": one.name, "roles": sorted(one.roles), "password": one.password}
            for one in sorted(accounts, key=lambda one: one.name)
        ]
        drawn = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        with open(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            json.dump({"accounts": plain}, file, indent=1)
        drawn.replace(self._path)

    def _wrong(self, what: str, found: str, *, allowed: str) -> ConfigError:
        return ConfigError(what, str(self._path), found=found, allowed=allowed)
