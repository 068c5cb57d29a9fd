"""The embedded PostgreSQL runs for root too, wherever the state folder lies, and keeps its data."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from infra.local import postgres
from infra.local.processes import Family, ServerError, only_one
from tests.servers import open_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL changes its user only where we are root")


@contextmanager
def database(folder: Path) -> Iterator[tuple[str, Family]]:
    with only_one(folder) as lock, Family(str(folder), lock=lock) as family:
        yield postgres.start(family, folder), family


def run(url: str, *statements: str) -> list[object]:
    async def in_one_session() -> list[object]:
        session = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return [await session.fetchval(statement) for statement in statements]
        finally:
            await session.close()

    return asyncio.run(in_one_session())


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


def test_data_outlive_a_stop_and_a_crash(folder: Path) -> None:
    with database(folder) as (url, family):
        run(url, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('a')")
    with database(folder) as (again, family):
        assert again == url
        run(url, "INSERT INTO kept VALUES ('b')", "CHECKPOINT")
        (server,) = (psutil.Process(child.pid) for child, _, _ in family._children)
        server.kill()
    assert (folder / "postgres" / "postmaster.pid").exists()
    with database(folder) as (url, family):
        assert run(url, "SELECT string_agg(word, '' ORDER BY word) FROM kept") == ["ab"]


def test_a_wrong_password_is_refused_and_the_right_one_is_nobody_elses(folder: Path) -> None:
    with database(folder) as (url, _):
        password = (folder / "postgres-password").read_text()
        assert password in url
        with pytest.raises(asyncpg.InvalidPasswordError):
            run(url.replace(password, "guess"), "SELECT 1")
    assert stat.S_IMODE((folder / "postgres-password").stat().st_mode) == 0o600


def test_an_index_that_was_put_back_as_somebody_elses_is_made_anew(folder: Path) -> None:
    """Kind of test that was missing: a database as `pg_restore --no-owner` leaves it."""
    with database(folder) as (url, _):
        run(url, "CREATE SCHEMA packshot_index", "CREATE TABLE packshot_index.own (word text)")
        index = postgres.index_url(folder, url)
        run(index, "CREATE TABLE packshot_index.own (word text)", "INSERT INTO packshot_index.own VALUES ('a')")
        assert postgres.index_url(folder, url) == index
        assert run(index, "SELECT word FROM packshot_index.own") == ["a"], "its own one stays"


def test_the_user_of_the_index_has_its_own_schema_and_nothing_of_prefects(folder: Path) -> None:
    with database(folder) as (url, _):
        run(url, "CREATE TABLE of_prefect (word text)")
        index = postgres.index_url(folder, url)
        run(url, "CREATE TABLE of_prefect_too (word text)")
        assert run(url, "SELECT 'public.of_prefect_too'::regclass::text") == ["of_prefect_too"], "not in the index's"
        assert postgres.index_url(folder, url) == index, "it may be said again"
        run(index, "CREATE TABLE packshot_index.own (word text)", "INSERT INTO packshot_index.own VALUES ('a')")
        for statement in ("SELECT count(*) FROM of_prefect", "CREATE TABLE public.another (word text)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                run(index, statement)
    password = folder / "index-password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    password.write_text("another")
    with database(folder) as (url, _):
        again = postgres.index_url(folder, url)
        assert again != index
        assert run(again, "SELECT count(*) FROM packshot_index.own") == [1]


def test_data_of_another_major_version_are_left_alone(folder: Path) -> None:
    data = folder / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerError, match="by PostgreSQL 9, but the installed server is"), database(folder):
        pass
    assert (data / "PG_VERSION").read_text() == "9\n"


@as_root
def test_in_a_folder_closed_to_others_the_data_lie_in_a_public_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, closed = folder / "public", tmp_path / "state"
    monkeypatch.setattr(postgres, "PUBLIC_FOLDERS", (public,))
    monkeypatch.setattr(postgres, "_can_use", lambda path, account, rights: False)  # programs out of reach as well
    with database(closed) as (url, _):
        run(url, "CREATE TABLE kept (word text)")
    (home,) = (path for path in public.iterdir() if not path.name.startswith("programs"))
    assert (home / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert len(list(public.glob("programs-*"))) == 1
    with database(closed) as (url, _):
        assert run(url, "SELECT count(*) FROM kept") == [0]
    # The state folder is removed: with it goes the database, though it lies elsewhere.
    shutil.rmtree(closed)
    with database(closed) as (url, _), pytest.raises(asyncpg.UndefinedTableError):
        run(url, "SELECT count(*) FROM kept")


@as_root
def test_a_public_folder_that_others_can_write_to_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, link, good = folder / "bad", folder / "link", folder / "good"
    bad.mkdir()
    bad.chmod(0o777)
    link.symlink_to(folder)
    monkeypatch.setattr(postgres, "PUBLIC_FOLDERS", (bad, link, good))
    assert postgres._public_folder() == good
    monkeypatch.setattr(postgres, "PUBLIC_FOLDERS", (bad, link))
    with pytest.raises(ServerError, match="cannot use any of these folders"):
        postgres._public_folder()


@as_root
@pytest.mark.parametrize(("mode", "usable"), [(0o700, False), (0o710, False), (0o701, True), (0o755, True)])
def test_what_another_account_may_use_follows_from_the_modes(mode: int, usable: bool, folder: Path) -> None:
    middle = folder / "middle"
    (middle / "inner").mkdir(parents=True)
    middle.chmod(mode)
    assert postgres._can_use(middle / "inner", pwd.getpwnam("nobody"), rights=0o1) is usable
