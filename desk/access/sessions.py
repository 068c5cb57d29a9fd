"""Keep the sessions of people who are signed in at the desk. Sessions are in memory, and expire.

A session is a random token in a cookie. Everything else about it stays in the process. So a session can be ended at
once, and there is no signing key that could be stolen. A restart of the desk signs everybody out.
"""

from __future__ import annotations

import dataclasses
import hmac
import secrets
import threading
from collections.abc import Callable

from desk.access.accounts import Account
from tasks.environment.clocks import passed_s

IDLE_S = 2 * 3600.0
"""A session ends after this time without a request."""
LONGEST_S = 12 * 3600.0
"""A session ends after this time in any case."""
MOST_SESSIONS = 2000


@dataclasses.dataclass
class Session:
    """One browser in which a person is signed in. `Sessions.begin` makes it.

    Attributes:
        name: name of the account.
        password: the password's hash at sign-in. A new password ends the session.
        csrf: a token that every form carries. A page of another site can't know it.
        begun, used: when the session began, and when a person last used it, in seconds of a clock that only goes
            forward (`time.monotonic`).
    """

    name: str
    password: str = dataclasses.field(repr=False)
    csrf: str = dataclasses.field(repr=False)
    begun: float
    used: float

    def carries(self, token: str) -> bool:
        """Return whether a form comes from a page of this session: its token is the session's CSRF token.

        Args:
            token: the token that the form carried.
        """
        return hmac.compare_digest(self.csrf.encode(), token.encode())


class Sessions:
    """All sessions of people who are signed in, each found by its token. They are only in memory."""

    def __init__(self, *, clock: Callable[[], float] = passed_s) -> None:
        """Begin without sessions.

        Args:
            clock: seconds that only go forward, also while this machine is suspended.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._open: dict[str, Session] = {}

    def begin(self, account: Account) -> str:
        """Begin a session, and return its token, a random text for the browser's cookie.

        If there are 2,000 sessions already, the one that was unused for longest ends.

        Args:
            account: the account of the person who has signed in.
        """
        at, token = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._open = {one: it for one, it in self._open.items() if self._lives(it, at)}
            if len(self._open) >= MOST_SESSIONS:
                del self._open[min(self._open, key=lambda one: self._open[one].used)]
            self._open[token] = Session(account.name, account.password, secrets.token_urlsafe(32), at, at)
        return token

    def find(self, token: str, *, used: bool = True) -> Session | None:
        """Return the session of a token; None if there is none, or if it has ended.

        A session ends after two hours without use, and after twelve hours even if it is used.

        Args:
            token: the token from the browser's cookie.
            used: whether a person made the request, which keeps the session open. A request that a page makes by
                itself does not.
        """
        at = self._clock()
        with self._lock:
            session = self._open.get(token)
            if session is None:
                return None
            if not self._lives(session, at):
                del self._open[token]
                return None
            if used:
                session.used = at
            return session

    def end(self, token: str) -> None:
        """End the session of a token, if there is one: the person is signed out.

        Args:
            token: the token from the browser's cookie.
        """
        with self._lock:
            self._open.pop(token, None)

    def _lives(self, session: Session, at: float) -> bool:
        return at - session.used < IDLE_S and at - session.begun < LONGEST_S
