"""How the locked libraries get into an environment: by uv, with pip's settings; by pip where uv cannot."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.release.scripts import ROOT, script

INSTALL = script("install")


def wheel_in(folder: Path) -> Path:
    """Write the wheel of a library that consists of one module; return its path."""
    named = folder / "crate_of_pears-1.0-py3-none-any.whl"
    files = {
        "crate_of_pears.py": "PEARS = 12\n",
        "crate_of_pears-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: crate-of-pears\nVersion: 1.0\n",
        "crate_of_pears-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for name, text in files.items()
    ]
    files["crate_of_pears-1.0.dist-info/RECORD"] = "\n".join([*rows, "crate_of_pears-1.0.dist-info/RECORD,,", ""])
    with zipfile.ZipFile(named, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return named


def test_where_uv_cannot_be_had_pip_installs_the_lock_and_checks_its_hashes(tmp_path: Path) -> None:
    wheel = wheel_in(tmp_path)
    python = tmp_path / "new" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "new"], check=True)
    alone = {"PATH": "", "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}

    def installed(digest: str) -> subprocess.CompletedProcess[str]:
        lock = tmp_path / "pears.lock"
        lock.write_text(f"crate-of-pears==1.0 \\\n    --hash=sha256:{digest}\n")
        command = [python, ROOT / ".ci" / "install.py", lock]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=alone)

    refused = installed("0" * 64)
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    done = installed(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert done.returncode == 0
    assert "since uv could not" in done.stdout
    found = subprocess.run(
        [python, "-c", "import crate_of_pears as c; print(c.PEARS)"], check=True, capture_output=True
    )
    assert found.stdout == b"12\n"


def test_uv_takes_pips_index_folders_and_certificates_and_the_environments_win() -> None:
    told = """\
global.index-url='https://mirror.example/simple'
global.find-links='/srv/wheels /srv/more'
global.no-color='true'
install.cert='/etc/ssl/ours.pem'
:env:.index-url='https://other.example/simple'
"""
    assert INSTALL.settings_for_uv(told) == {
        "UV_DEFAULT_INDEX": "https://other.example/simple",
        "UV_FIND_LINKS": "/srv/wheels,/srv/more",
        "SSL_CERT_FILE": "/etc/ssl/ours.pem",
    }
    assert INSTALL.settings_for_uv("") == {}
