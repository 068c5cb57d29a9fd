"""Open the database of the index (a table of all shots and one of all batches, filled from their records): PostgreSQL,
shared by all processes, or a SQLite file on this machine.

    index = shared()            # None if PACKSHOT_INDEX_URL is not set
    index.run(lambda connection: connection.execute(...))

No caller waits long for the database. Each use has a deadline. After a use that failed, all uses fail at once for a
minute.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy import Connection, Engine, StaticPool, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from tasks.environment.logs import log
from tasks.environment.settings import Settings, get_settings
from tasks.environment.threads import made_once
from tasks.index.tables import REVISION, SCHEMA, metadata

R = TypeVar("R")
Work = Callable[[Connection], R]

READING_S, WRITING_S = 30.0, 10.0
"""Longest time for a question, and for a row."""
REST_S = 60.0
"""So long after a failure nobody asks again: one that hangs costs a process at most a sixth of its time."""
_TROUBLE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, EOFError)
_CONNECT_S = 5.0
_CONNECTIONS = 2
_MIGRATION_LOCK = 7_044_512_019
"""Key of the advisory lock that only one process holds while it migrates."""


class IndexAwayError(Exception):
    """The index (tables of all shots and batches, for lists and searches) does not answer, or answers with an error.

    The message says why. The index is never the truth about a shot, so most functions go on without it. Only functions
    that report on the index itself pass this error on to their callers.
    """


class Database(Protocol):
    """A database with the index: tables of all shots and batches, from which lists and searches are answered.

    It is a `Shared` (PostgreSQL) or an `Own` (SQLite).

    Attributes:
        name: what log lines and reports call it, such as ``db.example.com:5432/prefect`` or the path of its file.
    """

    name: str

    def run(self, work: Work[R], *, within_s: float = READING_S) -> R:
        """Return what `work` returns. Everything that it does is one transaction: all of it counts, or nothing.

        Args:
            work: called with one argument, a SQLAlchemy connection to the database with the index (tables of all shots
                and batches). If it raises an error, the transaction is undone.
            within_s: longest time for the work, in seconds, by default 30; an `Own` ignores it.
        Raises:
            IndexAwayError: the work failed in the database, or took too long.
        """


class Shared:
    """A database with the index (tables of all shots and batches) in PostgreSQL, shared by all processes of all
    machines. `shared` makes it from the settings.

    The index is tables of all shots and batches, from which lists and searches are answered. Thread-safe: one thread
    with an event loop owns its connections. Its driver is asynchronous; so a deadline ends every wait, even if the
    server or the network hangs.

    Attributes:
        name: host, port and database, such as ``db.example.com:5432/prefect``.
    """

    def __init__(self, url: str, password: str) -> None:
        """Remember the address. A connection is made at the first use.

        Args:
            url: such as ``postgresql://user@host/prefect``.
            password: of the user in the address; empty: the address has it, or none is needed.
        """
        chosen = make_url(url).set(drivername="postgresql+asyncpg")
        if password:
            chosen = chosen.set(password=password)
        self.name = f"{chosen.host}:{chosen.port or 5432}/{chosen.database}"
        self._engine = create_async_engine(
            chosen,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_CONNECT_S,
            pool_recycle=300,
            connect_args={"timeout": _CONNECT_S, "command_timeout": READING_S},
        )
        self._migrated = False
        self._rests_until = 0.0
        self._why, self._is_said = "", False

    def run(self, work: Work[R], *, within_s: float = READING_S) -> R:
        """Return what `work` returns. Everything that it does is one transaction: all of it counts, or nothing.

        After a failure, all calls fail at once for 60 s (`REST_S`), so that a database that hangs does not slow the
        line down.

        Args:
            work: called with one argument, a SQLAlchemy connection to the database with the index (tables of all shots
                and batches). If it raises an error, the transaction is undone.
            within_s: longest time for the work, in seconds, by default 30. The first use may take 30 s, whatever
                `within_s` says, because it also makes or changes the tables.
        Raises:
            IndexAwayError: the work failed in the database or took too long, or an earlier call did so less than a
                minute ago.
        """
        if time.monotonic() < self._rests_until:
            raise IndexAwayError(self._why)
        future = asyncio.run_coroutine_threadsafe(self._run(work), _loop())
        try:
            answer = future.result(within_s if self._migrated else READING_S)
        except (TimeoutError, CancelledError):
            future.cancel()
            raise self._away(f"{self.name} has not answered in time") from None
        except (*_TROUBLE, IndexAwayError) as error:
            raise self._away(_in_words(error)) from error
        if self._is_said:
            self._is_said = False
            log().warning("The index of shots can be used again.")
        return answer

    def _away(self, why: str) -> IndexAwayError:
        if not self._is_said:
            self._is_said = True
            log().warning("The index of shots cannot be used: %s. The records are not affected.", why)
        self._why, self._rests_until, self._migrated = why, time.monotonic() + REST_S, False
        return IndexAwayError(why)

    async def _run(self, work: Work[R]) -> R:
        async with self._engine.begin() as connection:
            if not self._migrated:
                await connection.run_sync(_migrate)
                self._migrated = True
            return await connection.run_sync(work)

    async def _close(self) -> None:
        await self._engine.dispose()

    def close(self) -> None:
        """Close the connections to PostgreSQL. The next use connects again."""
        asyncio.run_coroutine_threadsafe(self._close(), _loop()).result(_CONNECT_S)


class Own:
    """A database with an index for this machine alone: tables of all shots and batches, from which lists and searches
    are answered.

    It is a SQLite file in the scratch folder, or in memory. `own` makes it, if the settings name no shared
    index. Whoever asks it first brings it up to date with the records in the bucket (`tasks.queries.comparing`).
    Thread-safe.

    Attributes:
        name: path of the SQLite file, or ``memory``.
    """

    def __init__(self, engine: Engine) -> None:
        """Make the tables if there are none.

        Args:
            engine: SQLAlchemy's engine for the SQLite file.
        """
        self._engine = engine.execution_options(schema_translate_map={SCHEMA: None})
        self.name = str(engine.url.database or "memory")
        self._one_at_a_time = threading.RLock()
        with self._engine.begin() as connection:
            metadata.create_all(connection)

    def run(self, work: Work[R], *, within_s: float = READING_S) -> R:
        """Return what `work` returns. Everything that it does is one transaction: all of it counts, or nothing.

        Args:
            work: called with one argument, a SQLAlchemy connection to the database with the index (tables of all shots
                and batches). If it raises an error, the transaction is undone.
            within_s: has no effect here.
        Raises:
            IndexAwayError: the work failed in the database.
        """
        try:
            with self._one_at_a_time, self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise IndexAwayError(_in_words(error)) from error


def shared(settings: Settings | None = None) -> Shared | None:
    """Return the index that all machines share, in PostgreSQL; None if ``PACKSHOT_INDEX_URL`` is not set.

    The index is tables of all shots and batches, from which lists and searches are answered. The result connects to the
    database at its first use. The same settings give the same object in the whole process.

    Args:
        settings: None means the settings that the environment variables give.
    """
    chosen = settings or get_settings()
    if chosen.index_url is None:
        return None
    password = chosen.index_password.get_secret_value() if chosen.index_password else ""
    return _shared(chosen.index_url.get_secret_value(), password)


_shared = made_once(Shared)


def own(settings: Settings | None = None) -> Own:
    """Return the index for this machine alone: tables of all shots and batches of the bucket that the settings name.

    It is a SQLite file in the scratch folder, which may be deleted at any time. If the settings allow no scratch folder
    (``PACKSHOT_SCRATCH_MAX_BYTES`` is 0), it is in memory. It is not brought up to date here.

    Args:
        settings: None means the settings that the environment variables give.
    Raises:
        IndexAwayError: the file can't be made or opened.
    """
    chosen = settings or get_settings()
    where = f"{chosen.s3_endpoint_url}/{chosen.s3_bucket}"
    if not chosen.scratch_max_bytes:
        return own_in_memory()
    return _in_file(chosen.scratch_dir / f"index-{REVISION}-{hashlib.sha256(where.encode()).hexdigest()[:12]}.sqlite")


@made_once
def _in_file(file: Path) -> Own:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        return Own(create_engine(f"sqlite:///{file}", connect_args={"timeout": READING_S}))
    except (OSError, SQLAlchemyError) as error:
        raise IndexAwayError(f"{file}: {_in_words(error)}") from error


@made_once
def own_in_memory() -> Own:
    """Return a database in memory with the index (tables of all shots and batches), for machines whose scratch folder
    can't be used. The database is lost when the process ends.

    Every call returns the same database.
    """
    return Own(create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}))


@made_once
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="index", daemon=True).start()
    return loop


def _migrate(connection: Connection) -> None:
    """Bring the tables to `REVISION`; one process does it, the others wait for it.

    Raises:
        IndexAwayError: a newer version of Packshot has changed the tables.
    """
    if _revision(connection) == REVISION:
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    found = _revision(connection)
    if found == REVISION:
        return
    if found > REVISION:
        raise IndexAwayError(f"a newer version of Packshot has changed its tables ({found}; here {REVISION})")
    from alembic import command
    from alembic.config import Config

    if connection.execute(text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}).scalar() is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    config = Config()
    config.set_main_option("script_location", "tasks.index:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)


def _revision(connection: Connection) -> str:
    table = f"{SCHEMA}.alembic_version"
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": table}).scalar() is None:
        return ""
    return str(connection.execute(text(f"SELECT version_num FROM {table}")).scalar() or "")  # noqa: S608  (no input)


def _in_words(error: Any) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200] or type(error).__name__
