"""Install what a lock file names into the environment of the Python that runs this.

    .venv/bin/python .ci/install.py requirements.lock [--checkout]

Exit status 0 if every library is there afterwards, with the locked version and hash. With ``--checkout`` this checkout
is installed too, without its dependencies, so that a change of its files is in force at once. ``uv`` installs in about
ten seconds what takes pip a minute and a half, so it is fetched first, by its own lock file. It takes pip's index,
folders and certificates. Where uv cannot be had, or cannot install (an index of another kind, say), pip does it all.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_LOCK = ROOT / "requirements-uv.lock"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
HASHED = ["--quiet", "--require-hashes", "--no-deps", "-r"]
CHECKOUT = ["--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
SAME_IN_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}


def main() -> int:
    lock, *options = sys.argv[1:]
    wanted = [[*HASHED, lock], *([CHECKOUT] if "--checkout" in options else [])]
    if _with_uv(lock, wanted):
        return 0
    return max(subprocess.run([*PIP, "install", *one], check=False).returncode for one in wanted)


def _with_uv(lock: str, wanted: Sequence[list[str]]) -> bool:
    """Fetch uv and install with it; True if all worked. Otherwise print why not."""
    uv = Path(sys.executable).parent / "uv"
    told = subprocess.run([*PIP, "config", "list"], check=False, capture_output=True, text=True).stdout
    with_uv = [uv, "pip", "install", "--python", sys.executable]
    for step in ([*PIP, "install", *HASHED, UV_LOCK], *([*with_uv, *one] for one in wanted)):
        environment = {**os.environ, **settings_for_uv(told)}
        done = subprocess.run(step, check=False, capture_output=True, text=True, errors="replace", env=environment)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no word"])[-1]
            print(f"pip installs {lock}, since uv could not: {why}", flush=True)
            return False
    return True


def settings_for_uv(told: str) -> dict[str, str]:
    """Return uv's environment variables that say what pip's settings say.

    ``told`` is what ``pip config list`` prints: one setting a line, as in ``global.index-url='https://mirror/simple'``.
    pip lists its files before its environment variables, and later ones win.
    """
    found = re.findall(r"^(?:\w+|:env:)\.([\w-]+)='(.*)'$", told, re.MULTILINE)
    return {SAME_IN_UV[name]: re.sub(r"\s+", ",", value) for name, value in found if name in SAME_IN_UV}


if __name__ == "__main__":
    sys.exit(main())
